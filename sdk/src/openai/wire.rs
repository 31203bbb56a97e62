//! A chunk or a body of the wire format, as much of it as is read for every event.
//!
//! Problem: a stream is thousands of small documents, and servers write `null`, a number or nothing where the
//! reference has a string. Decision: what comes with every event is typed, borrows from the frame and is filled where
//! it lies ([`Fill`]), since what a derived reader moves about costs a sandbox a good part of the event. What comes now
//! and then is left as a value, since each type that is read makes a component larger; [`text`] and [`count`] read its
//! members. Price: a member that nobody named here is not seen.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/object> and `…/chat/streaming`.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::Grows;

/// One chunk of a stream, or a whole answer: they differ in `delta` and `message` only.
#[derive(Debug, Default)]
pub(super) struct Answer<'a> {
    pub(super) id: Text<'a>,
    pub(super) model: Text<'a>,
    pub(super) choices: Choices<'a>,
    pub(super) usage: Option<Box<Value>>,
    /// Groq puts the usage of a stream here, and errors.
    pub(super) x_groq: Option<Box<Value>>,
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

impl Answer<'_> {
    /// Where in `chunk` the text stands that is all this answer says.
    pub(super) fn only_text(&self, chunk: &str) -> Option<(Grows, Range<usize>)> {
        let choice = self.choices.first.as_ref()?;
        let delta = choice.delta.as_ref()?;
        let says_more = self.usage.is_some()
            || self.x_groq.is_some()
            || self.error.is_some()
            || self.citations.is_some()
            || self.search_results.is_some()
            || choice.message.is_some()
            || !choice.finish_reason.is_empty()
            || choice.logprobs.is_some()
            || choice.error.is_some()
            || delta.reasoning_details.is_some()
            || !delta.refusal.is_empty()
            || delta.tool_calls.is_some()
            || delta.function_call.is_some()
            || delta.audio.is_some()
            || delta.images.is_some()
            || delta.annotations.is_some()
            || delta.executed_tools.is_some()
            || delta.extra_content.is_some();
        let Content::Text(content) = &delta.content else { return None };
        let (grows, text) = match (content, &delta.reasoning_content, &delta.reasoning) {
            _ if says_more => return None,
            (text, a, b) if a.is_empty() && b.is_empty() => (Grows::Text, text),
            (a, text, b) | (a, b, text) if a.is_empty() && b.is_empty() => (Grows::Reasoning, text),
            _ => return None,
        };
        // A text without escapes is borrowed from the chunk.
        let Cow::Borrowed(text) = &text.0 else { return None };
        let start = (text.as_ptr() as usize).checked_sub(chunk.as_ptr() as usize)?;
        let place = start..start + text.len();
        (!text.is_empty() && chunk.get(place.clone()) == Some(text)).then_some((grows, place))
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
    pub(super) index: Value,
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
    /// OpenRouter's, in items: <https://openrouter.ai/docs/use-cases/reasoning-tokens>.
    pub(super) reasoning_details: Option<Vec<Value>>,
    pub(super) refusal: Text<'a>,
    /// Calls or pieces of them: `{index, id, function: {name, arguments}}`, or `custom: {name, input}` for a tool that
    /// takes free text; `extra_content` with a thought signature (Gemini's OpenAI shim).
    pub(super) tool_calls: Option<Vec<Value>>,
    /// The form before `tool_calls`: `{name, arguments}`.
    pub(super) function_call: Option<Box<Value>>,
    /// `{id, data, transcript}`.
    pub(super) audio: Option<Box<Value>>,
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
                Ok(Text(Cow::Owned(Value::from(number).to_string())))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut object = Map::new();
                while let Some((name, value)) = map.next_entry()? {
                    object.insert(name, value);
                }
                Ok(Text(Cow::Owned(Value::Object(object).to_string())))
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

/// A member of a value as [`Text`] has it.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> Cow<'v, str> {
    match value.get(name) {
        None | Some(Value::Null | Value::Bool(_) | Value::Array(_)) => Cow::Borrowed(""),
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(other) => Cow::Owned(other.to_string()),
    }
}

/// A member that counts: unknown unless it is a number that makes sense.
pub(super) fn count(value: &Value, name: &str) -> Option<u32> {
    let value = value.get(name)?;
    // The cast saturates; a negative number or a fraction of a token is no count.
    let whole = || {
        value.as_f64().map(|number| number as u32).filter(|whole| value.as_f64() == Some(f64::from(*whole)))
    };
    value.as_u64().and_then(|count| u32::try_from(count).ok()).or_else(whole)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_chunk_may_say_nothing_but_a_text() {
        for (delta, says) in [
            (r#"{"role":"assistant","content":"ab"}"#, Some((Grows::Text, "ab"))),
            (r#"{"content":"","reasoning":"ab"}"#, Some((Grows::Reasoning, "ab"))),
            (r#"{"content":null,"reasoning_content":"ab"}"#, Some((Grows::Reasoning, "ab"))),
            (r#"{"content":"a","tool_calls":[{"index":0}]}"#, None),
            (r#"{"content":"a","reasoning":"b"}"#, None),
            (r#"{"content":"a\\b"}"#, None),
            (r#"{"content":[]}"#, None),
            (r#"{"content":""}"#, None),
            (r#"{"reasoning":"a","reasoning_content":"a"}"#, None),
        ] {
            let chunk =
                format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}],"usage":null}}"#);
            let mut answer = None;
            read(&chunk, &mut answer).unwrap();
            let found = answer.unwrap().only_text(&chunk);
            assert_eq!(found.map(|(grows, place)| (grows, &chunk[place])), says, "{delta}");
        }
    }
}
