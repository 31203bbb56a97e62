//! The tool `calculator`: arithmetic, without a network.

use aimu_sdk::tool::{Description, Reply, Tool};
use aimu_sdk::{Context, Failure};
use fasteval::{EmptyNamespace, ez_eval};
use serde_json::{Value, json};

/// An expression to work out.
#[derive(Debug, serde::Deserialize)]
pub struct Evaluate {
    expression: String,
}

impl Tool for Evaluate {
    const NAME: &'static str = "evaluate";
    const DESCRIPTION: &'static str = "Computes an expression of numbers, to 15 digits: + - * / % ^, parentheses, pi(), \
         e(), abs, sign, int, ceil, floor, round, log(base, x), sin, cos, tan, asin, acos, atan, min, max. Square roots are \
         x^0.5; angles are in radians.";

    fn parameters() -> Value {
        json!({
            "type": "object",
            "properties": { "expression": { "type": "string", "description": "Such as `2 * (3 + 4)^2`" } },
            "required": ["expression"],
            "additionalProperties": false,
        })
    }

    fn run(self, _: &Context) -> Result<Reply, Failure> {
        let value = ez_eval(&self.expression, &mut EmptyNamespace)
            .map_err(|error| Failure::invalid(format!("`{}` can't be computed: {error}", self.expression)))?;
        Ok(shown(value).into())
    }
}

/// A number without what binary fractions add behind the fifteenth digit.
fn shown(value: f64) -> String {
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    rounded.to_string()
}

fn about() -> Description {
    Description::new("calculator", "Calculator", env!("CARGO_PKG_VERSION"))
}

aimu_sdk::export_tools!(about: Evaluate);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn result(expression: &str) -> Result<Reply, Failure> {
        let ctx = Context {
            instance: "calculator".into(),
            base_url: String::new(),
            settings: "{}".into(),
            credentials: Vec::new(),
        };
        Evaluate { expression: expression.into() }.run(&ctx)
    }

    #[test]
    fn expressions_are_computed() {
        for (expression, value) in [
            ("2 * (3 + 4)^2", "98"),
            ("0.1 + 0.2", "0.3"),
            ("2^0.5", "1.4142135623731"),
            ("log(2, 1024)", "10"),
            ("-7 % 3", "-1"),
            ("1 / 0", "inf"),
        ] {
            assert_eq!(result(expression).unwrap(), Reply::from(value), "{expression}");
        }
    }

    #[test]
    fn what_is_no_expression_is_said() {
        for wrong in ["", "2 +", "x * 2", "rm -rf /", &"(".repeat(100), &"1+".repeat(10_000)] {
            assert!(result(wrong).unwrap_err().message.contains("can't be computed"), "{wrong}");
        }
    }
}
