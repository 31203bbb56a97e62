//! What Converse has no member for and each maker's models have their own: thinking, effort, `top_k`. All of it goes
//! into `additionalModelRequestFields`
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html>).

use aimu_sdk::{Sampling, Thinking, ThinkingMode};
use serde_json::{Map, Value, json};

use crate::catalog::{Known, Maker, ThinkingStyle};

/// What Claude takes as the smallest budget.
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

/// Writes the model's own fields, and gives the sampling that is left for `inferenceConfig`.
pub(crate) fn write(
    fields: &mut Map<String, Value>,
    thinking: Option<&Thinking>,
    sampling: &Sampling,
    model: &Known,
    warnings: &mut Vec<String>,
) -> Sampling {
    let mut sampling = sampling.clone();
    if model.maker == Maker::Anthropic {
        claude(fields, thinking, &mut sampling, model, warnings);
    } else if let Some(thinking) = thinking {
        other(fields, thinking, &mut sampling, model, warnings);
    }
    if let Some(top_k) = sampling.top_k.take() {
        match model.maker {
            // <https://docs.aws.amazon.com/nova/latest/userguide/using-converse-api.html>
            Maker::Amazon => fields.insert("inferenceConfig".into(), json!({ "topK": top_k })),
            _ => fields.insert("top_k".into(), top_k.into()),
        };
    }
    sampling
}

/// <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html>
fn claude(
    fields: &mut Map<String, Value>,
    thinking: Option<&Thinking>,
    sampling: &mut Sampling,
    model: &Known,
    warnings: &mut Vec<String>,
) {
    let Some(thinking) = thinking else { return };
    let style = model.thinking();
    let off = thinking.mode == ThinkingMode::Off;
    let wire = match style {
        Some(ThinkingStyle::Always) if off => {
            warnings.push("this model always thinks; a lower effort makes it think less".into());
            None
        }
        Some(ThinkingStyle::BetweenTools) if off => Some(json!({ "type": "between_tools" })),
        // Where it is off unless asked for, nothing need be said.
        Some(ThinkingStyle::Budget | ThinkingStyle::Both) if off => None,
        _ if off => Some(json!({ "type": "disabled" })),
        Some(ThinkingStyle::Budget) => Some(budget(thinking, sampling, model, warnings)),
        Some(ThinkingStyle::Both) | None
            if thinking.mode == ThinkingMode::On && thinking.budget_tokens.is_some() =>
        {
            Some(budget(thinking, sampling, model, warnings))
        }
        Some(ThinkingStyle::Both) | None => Some(json!({ "type": "adaptive" })),
        Some(_) => {
            if thinking.budget_tokens.is_some() {
                warnings
                    .push("this model takes no thinking budget; an effort steers how much it thinks".into());
            }
            Some(json!({ "type": "adaptive" }))
        }
    };
    let thinks = !off && wire.is_some();
    if let Some(mut wire) = wire {
        if let (true, Some(summary)) = (thinks, &thinking.summary) {
            let display = if summary == "none" || summary == "omitted" { "omitted" } else { "summarized" };
            wire["display"] = display.into();
        }
        fields.insert("thinking".into(), wire);
    }
    if thinks {
        without_sampling(sampling, warnings);
    }
    // An effort that only chose the budget has done its work.
    let takes_effort = model.entry.is_none_or(|entry| !entry.efforts.is_empty());
    if let (Some(effort), true) = (&thinking.effort, takes_effort) {
        fields.insert("output_config".into(), json!({ "effort": effort }));
    }
}

fn budget(thinking: &Thinking, sampling: &mut Sampling, model: &Known, warnings: &mut Vec<String>) -> Value {
    let limit = sampling.max_tokens;
    let budget = thinking.budget_tokens.unwrap_or_else(|| {
        // Ours gives way to the caller's limit.
        let wish = budget_for(thinking.effort.as_deref());
        limit.map_or(wish, |limit| wish.min((limit / 2).max(MIN_BUDGET)))
    });
    // The budget is part of the limit; what the caller set is meant for the answer.
    if let Some(limit) = limit.filter(|limit| *limit <= budget) {
        let most = model.entry.and_then(|entry| entry.output).unwrap_or(u32::MAX);
        let raised = budget.saturating_add(limit).min(most.max(budget.saturating_add(1)));
        sampling.max_tokens = Some(raised);
        warnings.push(format!(
            "max_tokens is raised to {raised}: it must exceed the thinking budget of {budget}"
        ));
    }
    json!({ "type": "enabled", "budget_tokens": budget })
}

/// While Claude thinks there is no control of sampling, except that the defaults may be named.
fn without_sampling(sampling: &mut Sampling, warnings: &mut Vec<String>) {
    let mut drop =
        |name: &str| warnings.push(format!("{name} is dropped: Claude takes none while it thinks"));
    if sampling.temperature.take_if(|temperature| (*temperature - 1.0).abs() > f64::EPSILON).is_some() {
        drop("temperature");
    }
    if sampling.top_p.take_if(|top_p| !(0.95..=1.0).contains(top_p)).is_some() {
        drop("top_p");
    }
    if sampling.top_k.take().is_some() {
        drop("top_k");
    }
}

fn other(
    fields: &mut Map<String, Value>,
    thinking: &Thinking,
    sampling: &mut Sampling,
    model: &Known,
    warnings: &mut Vec<String>,
) {
    let off = thinking.mode == ThinkingMode::Off;
    let effort = thinking.effort.as_deref().filter(|effort| *effort != "none");
    if thinking.budget_tokens.is_some() && !off {
        warnings.push("this model takes no thinking budget; an effort steers how much it thinks".into());
    }
    match model.thinking() {
        Some(ThinkingStyle::Effort) if off => {
            warnings.push("this model always thinks; a lower effort makes it think less".into());
        }
        Some(ThinkingStyle::Effort) => {
            fields.insert("reasoning_effort".into(), effort.unwrap_or("medium").into());
        }
        // These don't think unless asked to.
        Some(ThinkingStyle::Qwen | ThinkingStyle::Nova) if off => {}
        Some(ThinkingStyle::Qwen) => {
            let level = if matches!(effort, Some("minimal" | "low")) { "low" } else { "high" };
            fields.insert("reasoning_config".into(), level.into());
        }
        // <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>
        Some(ThinkingStyle::Nova) => {
            let level = match effort {
                Some("minimal" | "low") => "low",
                Some("high" | "xhigh" | "max") => "high",
                _ => "medium",
            };
            fields
                .insert("reasoningConfig".into(), json!({ "type": "enabled", "maxReasoningEffort": level }));
            if level == "high" {
                let limits = [
                    sampling.temperature.take().is_some(),
                    sampling.top_p.take().is_some(),
                    sampling.max_tokens.take().is_some(),
                ];
                if limits.contains(&true) {
                    warnings.push(
                        "temperature, top_p and max_tokens are dropped: Nova takes none at high effort"
                            .into(),
                    );
                }
            }
        }
        _ => {
            if !off {
                warnings.push(
                    "how this model is asked to think is not known here; write its own fields into \
                     additionalModelRequestFields of the request's extra"
                        .into(),
                );
            }
        }
    }
}
