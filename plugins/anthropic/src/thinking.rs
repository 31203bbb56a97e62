//! Thinking, effort, the token limit, and the sampling parameters that thinking forbids: they depend on each other and
//! on the model (<https://platform.claude.com/docs/en/build-with-claude/thinking>).

use aimu_sdk::{Sampling, Thinking, ThinkingMode, json::put};
use serde_json::{Map, Value, json};

use crate::catalog::{Model, ThinkingStyle};

/// `max_tokens` is required. For a model that the catalogue does not know this is room for a long answer, and no more
/// than even older models and compatible servers take.
const MAX_TOKENS: u32 = 16_384;

/// What the API takes as the smallest budget.
const MIN_BUDGET: u32 = 1024;

/// The budget for an effort on a model that has budgets but no efforts.
fn budget_for(effort: Option<&str>) -> u32 {
    match effort {
        Some("minimal") => MIN_BUDGET,
        Some("low") => 2048,
        Some("high") => 16_384,
        Some("xhigh" | "max") => 32_768,
        _ => 8192,
    }
}

/// Writes `thinking`, `max_tokens` and the sampling parameters, and gives the effort for `output_config`.
pub(crate) fn write(
    body: &mut Map<String, Value>,
    thinking: Option<&Thinking>,
    sampling: &Sampling,
    model: Option<&Model>,
    warnings: &mut Vec<String>,
) -> Option<String> {
    let limit = sampling.max_tokens;
    let default_limit = model.map_or(MAX_TOKENS, |model| model.output);
    let mode = thinking.map(|thinking| plan(thinking, limit.unwrap_or(default_limit), model, warnings));
    let budget = match &mode {
        Some(Mode::Budget(budget)) => *budget,
        _ => 0,
    };
    let mut max_tokens = limit.unwrap_or(default_limit);
    if max_tokens <= budget {
        // The budget is part of the limit; what the caller set is meant for the answer.
        let raised = budget.saturating_add(max_tokens);
        max_tokens = model.map_or(raised, |model| raised.min(model.output.max(budget + 1)));
        warnings.push(format!(
            "max_tokens is raised to {max_tokens}: it must exceed the thinking budget of {budget}"
        ));
    }
    body.insert("max_tokens".into(), max_tokens.into());
    let thinks = matches!(mode, Some(Mode::Budget(_) | Mode::Adaptive));
    if let (Some(mode), Some(thinking)) = (mode, thinking)
        && let Some(mut wire) = mode.wire()
    {
        if let (true, Some(summary)) = (thinks, &thinking.summary) {
            let display = if summary == "none" || summary == "omitted" { "omitted" } else { "summarized" };
            wire["display"] = display.into();
        }
        body.insert("thinking".into(), wire);
    }
    sample(body, sampling, thinks, warnings);
    let effort = thinking?.effort.clone()?;
    match model {
        // An effort that only chose the budget has done its work.
        Some(model) if model.efforts.is_empty() => None,
        _ => Some(effort),
    }
}

/// How the model will think.
enum Mode {
    Default,
    Off,
    BetweenTools,
    Adaptive,
    Budget(u32),
}

impl Mode {
    fn wire(&self) -> Option<Value> {
        Some(match self {
            Self::Default => return None,
            Self::Off => json!({ "type": "disabled" }),
            Self::BetweenTools => json!({ "type": "between_tools" }),
            Self::Adaptive => json!({ "type": "adaptive" }),
            Self::Budget(budget) => json!({ "type": "enabled", "budget_tokens": budget }),
        })
    }
}

fn plan(thinking: &Thinking, max_tokens: u32, model: Option<&Model>, warnings: &mut Vec<String>) -> Mode {
    let style = model.map(|model| model.thinking);
    if thinking.mode == ThinkingMode::Off {
        return match style {
            Some(ThinkingStyle::Always) => {
                warnings.push("this model always thinks; a lower effort makes it think less".into());
                Mode::Default
            }
            Some(ThinkingStyle::BetweenTools) => Mode::BetweenTools,
            _ => Mode::Off,
        };
    }
    let adaptive = match style {
        Some(ThinkingStyle::Budget) => false,
        Some(ThinkingStyle::Both) | None => {
            thinking.mode == ThinkingMode::Adaptive || thinking.budget_tokens.is_none()
        }
        Some(ThinkingStyle::Always | ThinkingStyle::BetweenTools | ThinkingStyle::Adaptive) => {
            if thinking.budget_tokens.is_some() {
                warnings
                    .push("this model takes no thinking budget; an effort steers how much it thinks".into());
            }
            true
        }
    };
    if adaptive {
        return Mode::Adaptive;
    }
    Mode::Budget(match thinking.budget_tokens {
        Some(budget) => budget,
        // Ours gives way to the caller's limit.
        None => budget_for(thinking.effort.as_deref()).min((max_tokens / 2).max(MIN_BUDGET)),
    })
}

/// Sampling parameters. While thinking there is no control of sampling, except that the defaults may be named.
fn sample(body: &mut Map<String, Value>, sampling: &Sampling, thinks: bool, warnings: &mut Vec<String>) {
    let mut drop =
        |name: &str| warnings.push(format!("{name} is dropped: Claude takes none while it thinks"));
    match sampling.temperature {
        Some(temperature) if thinks && (temperature - 1.0).abs() > f64::EPSILON => drop("temperature"),
        temperature => put(body, "temperature", temperature),
    }
    match sampling.top_p {
        // <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>: 0.95 to 1 is allowed.
        Some(top_p) if thinks && !(0.95..=1.0).contains(&top_p) => drop("top_p"),
        top_p => put(body, "top_p", top_p),
    }
    match sampling.top_k {
        Some(_) if thinks => drop("top_k"),
        top_k => put(body, "top_k", top_k),
    }
    if !sampling.stop.is_empty() {
        body.insert("stop_sequences".into(), sampling.stop.clone().into());
    }
}
