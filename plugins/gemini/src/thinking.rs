//! How much a model thinks, and whether it shows it (<https://ai.google.dev/gemini-api/docs/thinking>). Older models
//! take a number of tokens, newer ones a level; to send both is an error.

use aimu_sdk::{Thinking, ThinkingMode};
use serde_json::{Map, Value};

use crate::catalog::{Known, ThinkingStyle};

/// What Google takes an effort for on models with budgets
/// (<https://ai.google.dev/gemini-api/docs/openai#thinking>).
fn budget_for(effort: &str) -> i64 {
    match effort {
        "none" => 0,
        "minimal" | "low" => 1024,
        "medium" => 8192,
        _ => 24_576,
    }
}

/// The model decides.
const DYNAMIC: i64 = -1;

/// The `thinkingConfig`; `None` to leave it to the model.
pub(crate) fn config(thinking: &Thinking, model: &Known, warnings: &mut Vec<String>) -> Option<Value> {
    let mut config = Map::new();
    let off = thinking.mode == ThinkingMode::Off;
    match model.thinking() {
        ThinkingStyle::None => {
            if !off {
                warnings.push("thinking is dropped: this model does not think".into());
            }
            return None;
        }
        ThinkingStyle::Budget => {
            let least = model.entry.map_or(0, |model| i64::from(model.smallest_budget));
            let budget = match (thinking.budget_tokens, thinking.effort.as_deref()) {
                _ if off => Some(0),
                (Some(budget), _) => Some(i64::from(budget)),
                (None, Some(effort)) => Some(budget_for(effort)),
                (None, None) if thinking.mode == ThinkingMode::Adaptive => Some(DYNAMIC),
                (None, None) => None,
            };
            if let Some(budget) = budget {
                let raised = if budget == DYNAMIC { budget } else { budget.max(least) };
                if raised != budget {
                    warnings.push(format!("this model always thinks; it gets its least, {least} tokens"));
                }
                config.insert("thinkingBudget".into(), raised.into());
            }
        }
        ThinkingStyle::Levels if off => {
            let levels = model.entry.map(|model| model.efforts.as_slice()).unwrap_or_default();
            let level = levels.first().map_or("low", String::as_str);
            warnings.push(format!("this model always thinks; it gets its lowest level, {level}"));
            config.insert("thinkingLevel".into(), level.into());
        }
        ThinkingStyle::Levels => match (&thinking.effort, thinking.budget_tokens) {
            (Some(effort), _) => {
                config.insert("thinkingLevel".into(), effort.as_str().into());
            }
            // Still taken, for what was written for older models.
            (None, Some(budget)) => {
                config.insert("thinkingBudget".into(), budget.into());
            }
            (None, None) => {}
        },
    }
    if !off && thinking.summary.as_deref() != Some("none") {
        config.insert("includeThoughts".into(), true.into());
    }
    (!config.is_empty()).then_some(Value::Object(config))
}
