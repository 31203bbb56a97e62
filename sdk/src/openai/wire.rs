//! A chunk or a body of the wire format, as much of it as is read for every event.
//!
//! Problem: a stream is thousands of small documents, and servers write `null`, a number or nothing where the
//! reference has a string. Decision: typed structures that borrow from the frame, with tolerant leaves; the ones that
//! come with every event are filled where they lie ([`Fill`]), since what a derived reader moves about costs a sandbox
//! a good part of the event. Price: a member that nobody named here is not seen.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/object> and `…/chat/streaming`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
};
use serde::{Deserialize, de};
use serde_json::{Map, Value};

/// One chunk of a stream, or a whole answer: they differ in `delta` and `message` only.
#[derive(Debug, Default)]
pub(super) struct Answer<'a> {
    pub(super) id: Text<'a>,
    pub(super) model: Text<'a>,
    pub(super) choices: Choices<'a>,
    pub(super) usage: Option<Box<Usage>>,
    pub(super) x_groq: Option<Box<Groq>>,
    pub(super) error: Option<Box<Value>>,
    /// Perplexity and xAI: addresses of what was read.
    pub(super) citations: Option<Vec<Value>>,
    /// Perplexity: the same with titles.
    pub(super) search_results: Option<Vec<Value>>,
}

impl<'de: 'a, 'a> Members<'de> for Answer<'a> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "id" => self.id = map.next_value()?,
            "model" => self.model = map.next_value()?,
            "choices" => map.next_value_seed(Fill(&mut self.choices))?,
            "usage" => self.usage = map.next_value()?,
            "x_groq" => self.x_groq = map.next_value()?,
            "error" => self.error = map.next_value()?,
            "citations" => self.citations = map.next_value()?,
            "search_results" => self.search_results = map.next_value()?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

/// A structure that takes its members one by one.
trait Members<'de> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Reads an object into the structure that it borrows.
struct Fill<'t, T>(&'t mut T);

impl<'de, T: Members<'de> + Default> DeserializeSeed<'de> for Fill<'_, Option<T>> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Members<'de> + Default> Visitor<'de> for Fill<'_, Option<T>> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let target = self.0.insert(T::default());
        while let Some(name) = map.next_key::<Text<'de>>()? {
            target.member(&name.0, &mut map)?;
        }
        Ok(())
    }
}

impl<'de, T: Members<'de>> Members<'de> for Box<T> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        (**self).member(name, map)
    }
}

/// Reads a chunk or a body; `None` is `null`.
pub(super) fn read<'a>(json: &'a str, answer: &mut Option<Answer<'a>>) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Fill(answer).deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Groq puts the usage of a stream here.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Groq {
    #[serde(default)]
    pub(super) usage: Option<Box<Usage>>,
    #[serde(default)]
    pub(super) error: Option<Value>,
}

/// The first of the choices. The others are alternatives that nobody asked for; a stream names one a chunk.
#[derive(Debug, Default)]
pub(super) struct Choices<'a> {
    /// False: no list at all, as in a ping or an error of some proxy.
    pub(super) listed: bool,
    pub(super) first: Option<Choice<'a>>,
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for Fill<'_, Choices<'a>> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Fill<'_, Choices<'a>> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of choices")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.0.listed = true;
        if list.next_element_seed(Fill(&mut self.0.first))?.is_some() {
            while list.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    pub(super) index: Count,
    pub(super) delta: Option<Delta<'a>>,
    pub(super) message: Option<Box<Delta<'a>>>,
    pub(super) finish_reason: Text<'a>,
    pub(super) logprobs: Option<Box<Value>>,
    pub(super) error: Option<Box<Value>>,
}

impl<'de: 'a, 'a> Members<'de> for Choice<'a> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "index" => self.index = map.next_value()?,
            "delta" => map.next_value_seed(Fill(&mut self.delta))?,
            "message" => map.next_value_seed(Fill(&mut self.message))?,
            "finish_reason" => self.finish_reason = map.next_value()?,
            "logprobs" => self.logprobs = map.next_value()?,
            "error" => self.error = map.next_value()?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

/// A piece of the message, or all of it.
#[derive(Debug, Default)]
pub(super) struct Delta<'a> {
    pub(super) content: Content<'a>,
    pub(super) reasoning_content: Text<'a>,
    pub(super) reasoning: Text<'a>,
    pub(super) reasoning_details: Option<Vec<Detail<'a>>>,
    pub(super) refusal: Text<'a>,
    pub(super) tool_calls: Option<Vec<Call<'a>>>,
    /// The form before `tool_calls`.
    pub(super) function_call: Option<Box<Function<'a>>>,
    pub(super) audio: Option<Box<Audio<'a>>>,
    /// OpenRouter: pictures that the model drew.
    pub(super) images: Option<Vec<Value>>,
    pub(super) annotations: Option<Vec<Value>>,
    /// Groq's compound models: tools that ran at the server.
    pub(super) executed_tools: Option<Vec<Value>>,
    /// Gemini's OpenAI shim: a thought signature of the message itself.
    pub(super) extra_content: Option<Box<Value>>,
}

impl<'de: 'a, 'a> Members<'de> for Delta<'a> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "content" => self.content = map.next_value()?,
            "reasoning_content" => self.reasoning_content = map.next_value()?,
            "reasoning" => self.reasoning = map.next_value()?,
            "reasoning_details" => self.reasoning_details = map.next_value()?,
            "refusal" => self.refusal = map.next_value()?,
            "tool_calls" => self.tool_calls = map.next_value()?,
            "function_call" => self.function_call = map.next_value()?,
            "audio" => self.audio = map.next_value()?,
            "images" => self.images = map.next_value()?,
            "annotations" => self.annotations = map.next_value()?,
            "executed_tools" => self.executed_tools = map.next_value()?,
            "extra_content" => self.extra_content = map.next_value()?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

/// A tool call, or a piece of one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Call<'a> {
    #[serde(default)]
    pub(super) index: Option<u32>,
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) function: Option<Function<'a>>,
    #[serde(borrow, default)]
    pub(super) custom: Option<Box<Custom<'a>>>,
    /// Gemini's OpenAI shim: the call's thought signature.
    #[serde(default)]
    pub(super) extra_content: Option<Box<Value>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Function<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default)]
    pub(super) arguments: Text<'a>,
}

/// A tool that takes free text.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Custom<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default)]
    pub(super) input: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Audio<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) data: Text<'a>,
    #[serde(borrow, default)]
    pub(super) transcript: Text<'a>,
}

/// Token counts, under all the names that they have.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Usage {
    #[serde(default)]
    pub(super) prompt_tokens: Count,
    #[serde(default)]
    pub(super) completion_tokens: Count,
    #[serde(default)]
    pub(super) total_tokens: Count,
    #[serde(default)]
    pub(super) prompt_tokens_details: Option<PromptDetails>,
    #[serde(default)]
    pub(super) completion_tokens_details: Option<CompletionDetails>,
    /// GitHub Copilot.
    #[serde(default)]
    pub(super) reasoning_tokens: Count,
    /// DeepSeek.
    #[serde(default)]
    pub(super) prompt_cache_hit_tokens: Count,
    /// Moonshot, Together.
    #[serde(default)]
    pub(super) cached_tokens: Count,
    /// Mistral.
    #[serde(default)]
    pub(super) num_cached_tokens: Count,
    /// Gateways in front of Anthropic.
    #[serde(default)]
    pub(super) cache_read_input_tokens: Count,
    #[serde(default)]
    pub(super) cache_creation_input_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PromptDetails {
    #[serde(default)]
    pub(super) cached_tokens: Count,
    #[serde(default)]
    pub(super) cache_write_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct CompletionDetails {
    #[serde(default)]
    pub(super) reasoning_tokens: Count,
}

/// A string; `null` and absence are the empty one, a number or an object is its JSON text.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `None` for the empty text.
    pub(super) fn into_option(self) -> Option<String> {
        (!self.is_empty()).then(|| self.0.into_owned())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Text::default())
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Text::default())
            }
            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let object = Value::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Text(Cow::Owned(object.to_string())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// A message's content: text, or a list of blocks (Mistral, with its thinking).
#[derive(Debug)]
pub(super) enum Content<'a> {
    Text(Text<'a>),
    Blocks(Vec<Value>),
}

impl Default for Content<'_> {
    fn default() -> Self {
        Self::Text(Text::default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor;
        impl<'de> Visitor<'de> for ContentVisitor {
            type Value = Content<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a list of blocks")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Content::Text(Text(Cow::Borrowed(text))))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content::Text(Text(Cow::Owned(text.to_owned()))))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Content::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut blocks = Vec::new();
                while let Some(block) = list.next_element()? {
                    blocks.push(block);
                }
                Ok(Content::Blocks(blocks))
            }
        }
        deserializer.deserialize_any(ContentVisitor)
    }
}

/// An item of `reasoning_details`, or a piece of one. It goes back as it came, so members without a meaning here are
/// kept too.
///
/// Source: <https://openrouter.ai/docs/use-cases/reasoning-tokens>.
#[derive(Debug, Default)]
pub(super) struct Detail<'a> {
    pub(super) kind: Text<'a>,
    /// `text` or `summary`.
    pub(super) text: Text<'a>,
    pub(super) data: Text<'a>,
    pub(super) signature: Text<'a>,
    pub(super) index: Option<u64>,
    /// `id`, `format` and what is new.
    pub(super) rest: Map<String, Value>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Detail<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DetailVisitor;
        impl<'de> Visitor<'de> for DetailVisitor {
            type Value = Detail<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an item of reasoning_details")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut detail = Detail::default();
                while let Some(name) = map.next_key::<Text<'de>>()? {
                    match name.0.as_ref() {
                        "type" => detail.kind = map.next_value()?,
                        "text" | "summary" => detail.text = map.next_value()?,
                        "data" => detail.data = map.next_value()?,
                        "signature" => detail.signature = map.next_value()?,
                        "index" => detail.index = map.next_value()?,
                        _ => {
                            detail.rest.insert(name.0.into_owned(), map.next_value()?);
                        }
                    }
                }
                Ok(detail)
            }
        }
        deserializer.deserialize_map(DetailVisitor)
    }
}

/// A count of tokens: unknown unless it is a number that makes sense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count(pub(super) Option<u32>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;
        impl<'de> Visitor<'de> for CountVisitor {
            type Value = Count;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Count, E> {
                Ok(Count(u32::try_from(number).ok()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Count, E> {
                Ok(Count(u32::try_from(number).ok()))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Count, E> {
                // The cast saturates; a negative number or a fraction of a token is no count.
                let whole = number as u32;
                Ok(Count((f64::from(whole) == number).then_some(whole)))
            }
            fn visit_unit<E>(self) -> Result<Count, E> {
                Ok(Count(None))
            }
            fn visit_str<E>(self, _: &str) -> Result<Count, E> {
                Ok(Count(None))
            }
        }
        deserializer.deserialize_any(CountVisitor)
    }
}
