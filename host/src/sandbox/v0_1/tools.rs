//! What components of tools say and answer, as the host's.

use super::exports::tools::exports::aimu::tool::tools as wire;
use super::from_guest::{credential, json, required_json, tool_output};
use crate::limits::{Limits, reached};
use crate::model::{
    Description, Failure, FailureKind, Media, MediaSource, Result, ToolDefinition, ToolOutput,
};
use crate::tools::ToolReply;

/// Who a component of tools is.
pub(crate) fn tool_description(description: wire::Description) -> Result<Description> {
    if description.tools.is_empty() {
        return Err(broken("it has no tools".to_owned()));
    }
    Ok(Description {
        id: description.id,
        display_name: description.display_name,
        version: description.version,
        homepage: description.homepage,
        default_base_url: description.default_base_url,
        origins: description.origins,
        credentials: description.credentials.into_iter().map(credential).collect(),
        settings_schema: json(description.settings_schema, "`settings-schema`")?,
        tools: description.tools.into_iter().map(definition).collect::<Result<_>>()?,
        ..Description::default()
    })
}

fn definition(tool: wire::Tool) -> Result<ToolDefinition> {
    let parameters = required_json(&tool.parameters, "`tool.parameters`")?;
    if !parameters.is_object() {
        return Err(broken(format!("`parameters` of its tool `{}` is no object", tool.name.escape_debug())));
    }
    Ok(ToolDefinition {
        name: tool.name,
        description: tool.description,
        parameters,
        strict: None,
        cache_here: false,
        extra: None,
    })
}

/// What a tool has answered.
pub(crate) fn reply(reply: wire::Reply, limits: &Limits) -> Result<ToolReply> {
    let output = reply.output.into_iter().map(|output| {
        // A value takes many times the room of its text.
        if let super::wire::ToolOutput::Json(text) = &output
            && text.len() > limits.event
        {
            return Err(reached(
                "event",
                &format!("it answered with more than {} bytes of JSON", limits.event),
            ));
        }
        match tool_output(output)? {
            ToolOutput::Media(Media { source: MediaSource::Url(_) | MediaSource::FileId(_), .. }) => {
                Err(broken("it answered with media that are no bytes".to_owned()))
            }
            output => Ok(output),
        }
    });
    Ok(ToolReply { output: output.collect::<Result<_>>()?, is_error: reply.is_error })
}

fn broken(what: String) -> Failure {
    Failure::new(FailureKind::Internal, format!("broke the contract: {what}"))
}
