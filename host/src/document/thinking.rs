//! `reasoning`: a wire's own dialect for control of thinking.
//!
//! The same wish has many forms. What the contract can say goes to [`Thinking`], which every provider understands; what
//! it can't goes to the place on the wire where the dialect has it.

use super::extra::Extra;
use crate::model::{Result, Thinking, ThinkingMode};
use crate::openai::fields::{Fields, invalid};
use serde_json::{Map, Value};

#[derive(Default)]
struct Draft {
    mode: Option<ThinkingMode>,
    effort: Option<String>,
    budget_tokens: Option<u32>,
    summary: Option<String>,
}

/// Reads the dialects that are there; several may be, as wires have an effort beside a switch.
pub(super) fn read(reasoning: &Fields<'_>, extra: &mut Extra) -> Result<Option<Thinking>> {
    const DIALECTS: [&str; 6] = ["thinking", "effort", "summary", "thinking_config", "think", "raw"];
    let mut draft = Draft {
        effort: reasoning.text("effort")?.map(str::to_owned),
        summary: reasoning.text("summary")?.map(str::to_owned),
        ..Draft::default()
    };
    think(reasoning, &mut draft)?;
    if let Some(config) = reasoning.object("thinking_config")? {
        gemini(&config, &mut draft, extra);
    }
    if let Some(thinking) = reasoning.object("thinking")? {
        switch(&thinking, &mut draft, extra)?;
    }
    // `reasoning` on the wire is OpenRouter's object, given whole, or the Responses API's, whose members beyond effort
    // and summary (`context`, `mode`) stand beside the dialects.
    if let Some(raw) = reasoning.object("raw")? {
        extra.put(&["reasoning"], Value::Object(raw.others(&[])));
    }
    let others = reasoning.others(&DIALECTS);
    if !others.is_empty() {
        extra.put(&["reasoning"], Value::Object(others));
    }
    Ok(draft.finish())
}

impl Draft {
    fn finish(self) -> Option<Thinking> {
        let Self { mode, effort, budget_tokens, summary } = self;
        if mode.is_none() && effort.is_none() && summary.is_none() && budget_tokens.is_none() {
            return None;
        }
        // The word `none` is a level on the wires that have it, so it stays as one: the wire's place for an effort is
        // the provider's to know.
        let implied = if effort.as_deref() == Some("none") { ThinkingMode::Off } else { ThinkingMode::On };
        Some(Thinking { mode: mode.unwrap_or(implied), effort, budget_tokens, summary })
    }
}

/// `{"type": "enabled", "budget_tokens": 1024}`: Anthropic's, and without a budget the switch of several
/// chat-completions brands. The contract has no wire form for a bare switch there, so that goes out as it is too.
fn switch(thinking: &Fields<'_>, draft: &mut Draft, extra: &mut Extra) -> Result<()> {
    let budget = thinking.count("budget_tokens")?;
    let (mode, said): (_, &[&str]) = match thinking.text("type")? {
        Some("adaptive") => (Some(ThinkingMode::Adaptive), &["type", "budget_tokens"]),
        Some("enabled") if budget.is_some() => (Some(ThinkingMode::On), &["type", "budget_tokens"]),
        Some("enabled") => (Some(ThinkingMode::On), &[]),
        Some("disabled") => (Some(ThinkingMode::Off), &[]),
        _ => (None, &[]),
    };
    if mode.is_some() {
        draft.mode = mode;
        draft.budget_tokens = budget;
    }
    // A provider that knows no switch would say the same by an effort; the caller has said it already.
    if mode.is_some() && said.is_empty() && draft.effort.is_none() {
        extra.put(&["reasoning_effort"], Value::Null);
    }
    let others = thinking.others(said);
    if !others.is_empty() {
        extra.put(&["thinking"], Value::Object(others));
    }
    Ok(())
}

/// Gemini's `thinkingConfig`: only its wire has the name, so it goes out whole. Thoughts that were not asked for are
/// not to come: a `null` takes back the default that a provider may add.
fn gemini(config: &Fields<'_>, draft: &mut Draft, extra: &mut Extra) {
    let mut wire = Map::from_iter([("includeThoughts".to_owned(), Value::Null)]);
    wire.extend(config.others(&[]));
    extra.put(&["generationConfig", "thinkingConfig"], Value::Object(wire));
    let budget = config.get("thinkingBudget").and_then(Value::as_i64);
    draft.mode = match budget {
        Some(0) => Some(ThinkingMode::Off),
        Some(..0) => Some(ThinkingMode::Adaptive),
        Some(_) => Some(ThinkingMode::On),
        None if config.get("includeThoughts") == Some(&Value::Bool(true)) => Some(ThinkingMode::On),
        None => draft.mode,
    };
    draft.budget_tokens = budget.filter(|budget| *budget > 0).and_then(|budget| u32::try_from(budget).ok());
    let level = config.get("thinkingLevel").and_then(Value::as_str);
    draft.effort = draft.effort.take().or_else(|| level.map(str::to_owned));
}

/// Ollama's `think`: a switch or a level.
fn think(reasoning: &Fields<'_>, draft: &mut Draft) -> Result<()> {
    draft.mode = match reasoning.get("think") {
        None => None,
        Some(Value::Bool(true)) => Some(ThinkingMode::On),
        Some(Value::Bool(false)) => Some(ThinkingMode::Off),
        Some(Value::String(level)) => {
            draft.effort = Some(level.clone());
            Some(ThinkingMode::On)
        }
        Some(_) => {
            return Err(invalid(&reasoning.at("think"), "must be true, false or a level's name"));
        }
    };
    Ok(())
}
