use super::*;
use crate::model::{
    Opaque, ResponseFormat, SchemaFormat, Thinking, ThinkingMode, Tool, ToolChoice, ToolDefinition,
};

mod cases;

fn parse(mut members: Value) -> RequestDocument {
    members["messages"] = json!([{"role": "user", "content": "hi"}]);
    RequestDocument::parse(members.to_string()).unwrap()
}

fn refused(members: Value) -> String {
    let failure = RequestDocument::parse(members.to_string()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidRequest);
    failure.message
}

#[test]
fn the_least_document() {
    let document = parse(json!({}));
    assert_eq!((document.model, document.stream), (None, None));
    assert!(document.request.streaming);
    assert_eq!(document.messages, [json!({"role": "user", "content": "hi"})]);
    assert_eq!(document.request.messages.len(), 1);
    assert_eq!(document.request.extra, None);
    assert_eq!(document.request.thinking, None);
}

#[test]
fn options_go_to_sampling_to_their_fields_and_to_the_wire() {
    let document = parse(json!({"model": "p:m", "stream": false, "options": {
        "temperature": 0, "top_p": 0.5, "top_k": 3, "min_p": 0.1, "presence_penalty": 1, "frequency_penalty": -1,
        "repetition_penalty": 1.1, "max_tokens": 9, "context_length": 4096, "seed": 7, "stop": "x",
        "parallel_tool_calls": false, "logprobs": true, "top_logprobs": 2, "n": 1, "user": "u", "logit_bias": {"1": 2},
    }}));
    let request = document.request;
    assert_eq!(document.model.as_deref(), Some("p:m"));
    assert!(!request.streaming);
    let sampling = serde_json::to_value(&request.sampling).unwrap();
    assert_eq!(
        sampling,
        json!({
            "temperature": 0.0, "top_p": 0.5, "top_k": 3, "min_p": 0.1, "presence_penalty": 1.0,
            "frequency_penalty": -1.0, "repetition_penalty": 1.1, "max_tokens": 9, "context_length": 4096, "seed": 7,
            "stop": ["x"],
        })
    );
    assert_eq!((request.parallel_tool_calls, request.logprobs), (Some(false), Some(2)));
    assert_eq!(request.extra, Some(json!({"user": "u", "logit_bias": {"1": 2}})));
    assert_eq!(document.cancelled, Vec::<String>::new());
}

#[test]
fn null_is_absent_but_cancels_a_portable_option() {
    let document =
        parse(json!({"tools": null, "options": {"temperature": null, "user": null, "stop": ["a", "b"]}}));
    assert_eq!(document.cancelled, ["temperature"]);
    assert_eq!(document.request.extra, None);
    assert_eq!(document.request.sampling.stop, ["a", "b"]);
}

#[test]
fn logprobs_are_one_field() {
    let logprobs = |options: Value| {
        let request = parse(json!({"options": options})).request;
        (request.logprobs, request.extra)
    };
    assert_eq!(logprobs(json!({"logprobs": true})), (Some(0), None));
    assert_eq!(logprobs(json!({"logprobs": false})), (None, None));
    assert_eq!(logprobs(json!({"top_logprobs": 3})), (None, Some(json!({"top_logprobs": 3}))));
}

#[test]
fn every_dialect_of_thinking() {
    let thinking = |mode, effort: Option<&str>, budget_tokens, summary: Option<&str>| {
        Some(Thinking {
            mode,
            effort: effort.map(str::to_owned),
            budget_tokens,
            summary: summary.map(str::to_owned),
        })
    };
    use ThinkingMode::{Adaptive, Off, On};
    let config = |value: Value| Some(json!({"generationConfig": {"thinkingConfig": value}}));
    for (reasoning, becomes, extra) in [
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}),
            thinking(On, None, Some(1024), None),
            None,
        ),
        (json!({"thinking": {"type": "adaptive"}}), thinking(Adaptive, None, None, None), None),
        (
            json!({"thinking": {"type": "adaptive", "display": "summarized"}, "effort": "high"}),
            thinking(Adaptive, Some("high"), None, None),
            Some(json!({"thinking": {"display": "summarized"}})),
        ),
        (
            json!({"thinking": {"type": "enabled", "clear_thinking": false}, "effort": "max"}),
            thinking(On, Some("max"), None, None),
            Some(json!({"thinking": {"type": "enabled", "clear_thinking": false}})),
        ),
        (
            json!({"thinking": {"type": "disabled"}}),
            thinking(Off, None, None, None),
            Some(json!({"reasoning_effort": null, "thinking": {"type": "disabled"}})),
        ),
        (
            json!({"thinking": {"clear_thinking": false}}),
            None,
            Some(json!({"thinking": {"clear_thinking": false}})),
        ),
        (json!({"effort": "low", "summary": "auto"}), thinking(On, Some("low"), None, Some("auto")), None),
        (json!({"effort": "none"}), thinking(Off, Some("none"), None, None), None),
        (
            json!({"effort": null, "generate_summary": "x"}),
            None,
            Some(json!({"reasoning": {"generate_summary": "x"}})),
        ),
        (
            json!({"effort": "low", "context": "all_turns"}),
            thinking(On, Some("low"), None, None),
            Some(json!({"reasoning": {"context": "all_turns"}})),
        ),
        (json!({"raw": {"max_tokens": 9}}), None, Some(json!({"reasoning": {"max_tokens": 9}}))),
        (json!({"think": true}), thinking(On, None, None, None), None),
        (json!({"think": false}), thinking(Off, None, None, None), None),
        (json!({"think": "low"}), thinking(On, Some("low"), None, None), None),
        (
            json!({"thinking_config": {"includeThoughts": true, "thinkingBudget": 512}}),
            thinking(On, None, Some(512), None),
            config(json!({"includeThoughts": true, "thinkingBudget": 512})),
        ),
        (
            json!({"thinking_config": {"thinkingBudget": 0}}),
            thinking(Off, None, None, None),
            config(json!({"includeThoughts": null, "thinkingBudget": 0})),
        ),
        (
            json!({"thinking_config": {"thinkingBudget": -1}}),
            thinking(Adaptive, None, None, None),
            config(json!({"includeThoughts": null, "thinkingBudget": -1})),
        ),
        (
            json!({"thinking_config": {"thinkingLevel": "low"}}),
            thinking(On, Some("low"), None, None),
            config(json!({"includeThoughts": null, "thinkingLevel": "low"})),
        ),
        (
            json!({"thinking_config": {"includeThoughts": false}}),
            None,
            config(json!({"includeThoughts": false})),
        ),
    ] {
        let request = parse(json!({"reasoning": reasoning})).request;
        assert_eq!((request.thinking, request.extra), (becomes, extra), "{reasoning}");
    }
}

#[test]
fn tools_and_their_choice() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let request = parse(json!({
        "tools": [
            {"function": {"name": "f", "description": "d", "parameters": schema, "strict": true}},
            {"type": "function", "function": {"name": "g"}, "defer_loading": true,
             "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ],
        "provider_tools": [{"type": "web_search_20250305", "name": "web_search"}, {"googleSearch": {}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
    }))
    .request;
    let definition = |name: &str, parameters: Value| ToolDefinition {
        name: name.to_owned(),
        description: String::new(),
        parameters,
        strict: None,
        cache_here: false,
        extra: None,
    };
    assert_eq!(
        request.tools,
        [
            Tool::Function(ToolDefinition {
                description: "d".to_owned(),
                strict: Some(true),
                ..definition("f", schema)
            }),
            Tool::Function(ToolDefinition {
                cache_here: true,
                extra: Some(
                    json!({"defer_loading": true, "cache_control": {"type": "ephemeral", "ttl": "1h"}})
                ),
                ..definition("g", json!({"type": "object", "properties": {}}))
            }),
            Tool::ProviderDefined(Opaque {
                kind: "web_search_20250305".to_owned(),
                data: json!({"type": "web_search_20250305", "name": "web_search"})
            }),
            Tool::ProviderDefined(Opaque {
                kind: "googleSearch".to_owned(),
                data: json!({"googleSearch": {}})
            }),
        ]
    );
    assert_eq!(request.tool_choice, ToolChoice::Named("f".to_owned()));
    let validated = json!({"toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}}});
    for (choice, becomes, extra) in [
        (json!("auto"), ToolChoice::Auto, None),
        (json!("none"), ToolChoice::None, None),
        (json!("required"), ToolChoice::Required, None),
        (json!({"function": {"name": "g"}}), ToolChoice::Named("g".to_owned()), None),
        (json!({"type": "tool", "name": "g"}), ToolChoice::Named("g".to_owned()), None),
        (json!("validated"), ToolChoice::Auto, Some(validated)),
        (
            json!({"type": "allowed_tools"}),
            ToolChoice::Auto,
            Some(json!({"tool_choice": {"type": "allowed_tools"}})),
        ),
    ] {
        let request = parse(json!({"tool_choice": choice})).request;
        assert_eq!((request.tool_choice, request.extra), (becomes, extra));
    }
}

#[test]
fn forms_of_the_answer() {
    let format = |format: Value| parse(json!({"response_format": format})).request.response_format;
    assert_eq!(format(json!({"type": "text"})), ResponseFormat::Text);
    assert_eq!(format(json!({"type": "json_object"})), ResponseFormat::Json);
    let schema = json!({"name": "n", "description": "d", "schema": {"type": "object"}, "strict": true});
    assert_eq!(
        format(json!({"type": "json_schema", "json_schema": schema})),
        ResponseFormat::Schema(SchemaFormat {
            name: "n".to_owned(),
            schema: json!({"type": "object", "description": "d"}),
            strict: true
        })
    );
}

#[test]
fn a_wires_own_members_go_to_their_place_and_extra_wins() {
    let mut document = parse(json!({
        "generation_config": {"responseModalities": ["TEXT"]},
        "reasoning": {"thinking_config": {"thinkingBudget": 0}},
        "tool_config": {"includeServerSideToolInvocations": true},
        "tool_choice": "validated",
        "allowed_tools": ["f"],
        "output_config": {"task_budget": {"total": 1}},
        "text_options": {"verbosity": "high"},
        "include_usage": true,
        "extra": {"text": {"verbosity": "low"}, "service_tier": "flex"},
    }));
    let mut extra = json!({
        "generationConfig": {
            "thinkingConfig": {"includeThoughts": null, "thinkingBudget": 0},
            "responseModalities": ["TEXT"],
        },
        "toolConfig": {
            "functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
            "includeServerSideToolInvocations": true,
        },
        "output_config": {"task_budget": {"total": 1}},
        "text": {"verbosity": "low"},
        "stream_options": {"include_usage": true},
        "service_tier": "flex",
    });
    assert_eq!(document.request.extra, Some(extra.clone()));
    document.without_stream();
    extra.as_object_mut().unwrap().remove("stream_options");
    assert!(!document.request.streaming);
    assert_eq!(document.request.extra, Some(extra));
    let mut document = parse(json!({"include_usage": true}));
    document.without_stream();
    assert_eq!(document.request.extra, None);
    assert_eq!(parse(json!({"include_usage": true, "stream": false})).request.extra, None);
}

#[test]
fn wrong_documents_say_what_to_do() {
    assert!(
        RequestDocument::parse("{")
            .unwrap_err()
            .message
            .starts_with("the request document is not JSON: EOF while"),
    );
    let user = json!([{"role": "user", "content": "a"}]);
    for (mut document, says) in [
        (json!({"messages": []}), "`messages` is missing; it must be a list of at least one message"),
        (json!({"input": ["a"]}), "`input` belongs to embeddings (`aimu-host embed`); a chat has `messages`"),
        (
            json!({"mesages": []}),
            "`mesages` is not known here. Did you mean `messages`? Accepted: model, stream, messages, options, \
             reasoning, tools, tool_choice, provider_tools, response_format, generation_config, tool_config, \
             output_config, text_options, allowed_tools, include_usage, extra",
        ),
        (
            json!({"messages": [{"role": "user"}]}),
            "messages[0]: `content` is missing; it must be a string or a list of parts",
        ),
        (json!({"options": {"temperature": "hot"}}), "options.temperature: must be a number, not \"hot\""),
        (
            json!({"options": {"max_tokens": -1}}),
            "options.max_tokens: must be a whole number from 0 in range, not -1",
        ),
        (
            json!({"options": {"n": 2}}),
            "options.n: must be 1, not 2: an answer is one choice; make 2 calls for 2 answers",
        ),
        (
            json!({"options": {"stop": [1]}}),
            "options.stop[0]: must be a string or a list of strings, not a number",
        ),
        (
            json!({"tools": [{"type": "web_search"}]}),
            "tools[0].type: `web_search` is a tool of a provider; put it into `provider_tools` as it is",
        ),
        (json!({"tools": [{"function": {}}]}), "tools[0].function: `name` is missing; it must be a string"),
        (
            json!({"provider_tools": [{"a": 1, "b": 2}]}),
            "provider_tools[0]: needs a `type`, or one key that names the tool",
        ),
        (json!({"reasoning": {"think": 1}}), "reasoning.think: must be true, false or a level's name"),
        (json!({"extra": 1}), "extra: must be an object, not a number"),
        (json!({"stream": "yes"}), "stream: must be true or false, not \"yes\""),
    ] {
        if document.get("messages").is_none() && document.get("mesages").is_none() {
            document["messages"] = user.clone();
        }
        assert_eq!(refused(document), format!("the request document is wrong: {says}"));
    }
}
