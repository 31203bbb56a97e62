//! `options`: portable names to sampling, what else the contract has to its field, the others to the wire.

use super::extra::Extra;
use crate::model::{ChatRequest, Result};
use crate::openai::fields::{Fields, invalid, sort_of};
use serde_json::Value;

/// The portable names.
const PORTABLE: [&str; 11] = [
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "max_tokens",
    "context_length",
    "seed",
    "stop",
];

/// Reads the options into the request; returns the portable ones that were given as `null`.
pub(super) fn read(
    options: &Fields<'_>,
    request: &mut ChatRequest,
    extra: &mut Extra,
) -> Result<Vec<String>> {
    const OTHERS: [&str; 4] = ["n", "parallel_tool_calls", "logprobs", "top_logprobs"];
    let sampling = &mut request.sampling;
    sampling.temperature = options.number("temperature")?;
    sampling.top_p = options.number("top_p")?;
    sampling.top_k = options.count("top_k")?;
    sampling.min_p = options.number("min_p")?;
    sampling.presence_penalty = options.number("presence_penalty")?;
    sampling.frequency_penalty = options.number("frequency_penalty")?;
    sampling.repetition_penalty = options.number("repetition_penalty")?;
    sampling.max_tokens = options.count("max_tokens")?;
    sampling.context_length = options.count("context_length")?;
    sampling.seed = options.count("seed")?;
    sampling.stop = stop(options)?;
    request.parallel_tool_calls = options.flag("parallel_tool_calls")?;
    request.logprobs = logprobs(options, extra)?;
    one_choice(options)?;
    let known: Vec<&str> = PORTABLE.iter().chain(&OTHERS).copied().collect();
    extra.merge(Value::Object(options.others(&known)));
    let null = PORTABLE.iter().filter(|key| options.is_null(key));
    Ok(null.map(|key| (*key).to_owned()).collect())
}

fn stop(options: &Fields<'_>) -> Result<Vec<String>> {
    let text = |value: &Value, path: String| match value {
        Value::String(text) => Ok(text.clone()),
        other => {
            Err(invalid(&path, format_args!("must be a string or a list of strings, not {}", sort_of(other))))
        }
    };
    match options.get("stop") {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => list
            .iter()
            .enumerate()
            .map(|(i, one)| text(one, format!("{}[{i}]", options.at("stop"))))
            .collect(),
        Some(one) => Ok(vec![text(one, options.at("stop"))?]),
    }
}

/// Two members of the wire for the contract's one.
fn logprobs(options: &Fields<'_>, extra: &mut Extra) -> Result<Option<u8>> {
    let alternatives = options.count("top_logprobs")?;
    if options.flag("logprobs")?.unwrap_or_default() {
        return Ok(Some(alternatives.unwrap_or_default()));
    }
    // Alone it is a mistake on some wires and a request on others: theirs to judge.
    if let Some(alternatives) = alternatives {
        extra.put(&["top_logprobs"], Value::from(alternatives));
    }
    Ok(None)
}

/// An answer is one choice; a request for more must not end as one silently.
fn one_choice(options: &Fields<'_>) -> Result<()> {
    match options.count::<u64>("n")? {
        None | Some(1) => Ok(()),
        Some(n) => {
            let what =
                format_args!("must be 1, not {n}: an answer is one choice; make {n} calls for {n} answers");
            Err(invalid(&options.at("n"), what))
        }
    }
}
