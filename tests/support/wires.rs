//! The two wire formats in small: a streamed answer, event by event, and how to ask for it.

/// A provider and the answer `Hello, world` in its wire format.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    /// The part of a model string before `@`.
    pub model: &'static str,
    /// The variable that holds its key, and the header that carries it.
    pub key: (&'static str, &'static str),
    /// The path that is asked, at its end.
    pub path: &'static str,
    /// The answer, event by event. `(event, whether the answer may count as complete once it has come)`.
    pub events: &'static [(&'static str, bool)],
    /// The same answer in one piece.
    pub whole: &'static str,
}

/// What the answers say.
pub const TEXT: &str = "Hello, world";

pub const MESSAGES: Wire = Wire {
    model: "anthropic:claude-test",
    key: ("ANTHROPIC_API_KEY", "x-api-key"),
    path: "/v1/messages",
    events: &[
        (
            concat!(
                "event: message_start\n",
                r#"data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","#,
                r#""model":"claude-test","content":[],"stop_reason":null,"stop_sequence":null,"#,
                r#""usage":{"input_tokens":7,"output_tokens":1}}}"#,
                "\n\n"
            ),
            false,
        ),
        (
            concat!(
                "event: content_block_start\n",
                r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
                "\n\n"
            ),
            false,
        ),
        ("event: ping\ndata: {\"type\":\"ping\"}\n\n", false),
        (
            concat!(
                "event: content_block_delta\n",
                r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}"#,
                "\n\n"
            ),
            false,
        ),
        (
            concat!(
                "event: content_block_delta\n",
                r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":", world"}}"#,
                "\n\n"
            ),
            false,
        ),
        ("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n", false),
        (
            concat!(
                "event: message_delta\n",
                r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"#,
                r#""usage":{"output_tokens":5}}"#,
                "\n\n"
            ),
            false,
        ),
        ("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", true),
    ],
    whole: concat!(
        r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-test","#,
        r#""content":[{"type":"text","text":"Hello, world"}],"stop_reason":"end_turn","stop_sequence":null,"#,
        r#""usage":{"input_tokens":7,"output_tokens":5}}"#
    ),
};

pub const CHAT_COMPLETIONS: Wire = Wire {
    model: "openai-compat:gpt-test",
    key: ("OPENAI_API_KEY", "authorization"),
    path: "/chat/completions",
    events: &[
        (
            concat!(
                r#"data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-test","choices":"#,
                r#"[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
                "\n\n"
            ),
            false,
        ),
        (
            concat!(
                r#"data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-test","choices":"#,
                r#"[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}"#,
                "\n\n"
            ),
            false,
        ),
        (": a comment\n\n", false),
        (
            concat!(
                r#"data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-test","choices":"#,
                r#"[{"index":0,"delta":{"content":", world"},"finish_reason":null}]}"#,
                "\n\n"
            ),
            false,
        ),
        (
            concat!(
                r#"data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-test","choices":"#,
                r#"[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
                "\n\n"
            ),
            // Some servers end here, without `[DONE]`: the finish reason is the terminal event.
            true,
        ),
        (
            concat!(
                r#"data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-test","choices":[],"#,
                r#""usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}"#,
                "\n\n"
            ),
            true,
        ),
        ("data: [DONE]\n\n", true),
    ],
    whole: concat!(
        r#"{"id":"c1","object":"chat.completion","created":1,"model":"gpt-test","choices":[{"index":0,"#,
        r#""message":{"role":"assistant","content":"Hello, world"},"finish_reason":"stop"}],"#,
        r#""usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}"#
    ),
};

pub const WIRES: [Wire; 2] = [MESSAGES, CHAT_COMPLETIONS];

impl Wire {
    /// A model string for a server of the test.
    pub fn at(&self, url: &str) -> String {
        format!("{}@{url}", self.model)
    }

    /// A request document, as `--request -` takes it.
    pub fn request(&self) -> String {
        r#"{"messages":[{"role":"user","content":"Hi"}],"stream":true,"options":{"max_tokens":100}}"#.into()
    }
}
