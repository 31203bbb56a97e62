//! What a component of this version exports, each interface by itself: a provider has those that it has, and a component of
//! tools has these.
//!
//! They are looked up once, when a component is linked; a call instantiates the one that it needs. An interface that is
//! there under its name but with other types is an error of the component, told when it is loaded.

use super::super::store::State;
use crate::model::Kind;
use wasmtime::component::{Component, InstancePre};

macro_rules! world {
    ($name:ident, $inline:tt, $world:tt) => {
        #[allow(missing_docs, unreachable_pub, clippy::all)]
        pub(crate) mod $name {
            wasmtime::component::bindgen!({
                path: "../wit",
                inline: $inline,
                world: $world,
                exports: { default: async },
                with: {
                    "aimu:provider/data": super::super::bindings::aimu::provider::data,
                    "aimu:provider/host": super::super::bindings::aimu::provider::host,
                },
                require_store_data_send: true,
            });
        }
    };
}

world!(
    catalog,
    "package aimu:host;
     world has-catalog { import aimu:provider/host@0.1.0; export aimu:provider/catalog@0.1.0; }",
    "aimu:host/has-catalog"
);
world!(
    text,
    "package aimu:host;
     world has-text { import aimu:provider/host@0.1.0; export aimu:provider/text@0.1.0; }",
    "aimu:host/has-text"
);
world!(
    embedding,
    "package aimu:host;
     world has-embedding { import aimu:provider/host@0.1.0; export aimu:provider/embedding@0.1.0; }",
    "aimu:host/has-embedding"
);
world!(
    tokens,
    "package aimu:host;
     world has-tokens { import aimu:provider/host@0.1.0; export aimu:provider/tokens@0.1.0; }",
    "aimu:host/has-tokens"
);
world!(
    library,
    "package aimu:host;
     world has-library { import aimu:provider/host@0.1.0; export aimu:provider/library@0.1.0; }",
    "aimu:host/has-library"
);

world!(
    tools,
    "package aimu:host;
     world has-tools { import aimu:provider/host@0.1.0; export aimu:tool/tools@0.1.0; }",
    "aimu:host/has-tools"
);

/// A component that is linked, with what it exports.
pub(crate) struct Linked {
    /// What every provider has.
    pub(crate) catalog: Option<catalog::HasCatalogPre<State>>,
    pub(crate) text: Option<text::HasTextPre<State>>,
    pub(crate) embedding: Option<embedding::HasEmbeddingPre<State>>,
    pub(crate) tokens: Option<tokens::HasTokensPre<State>>,
    pub(crate) library: Option<library::HasLibraryPre<State>>,
    pub(crate) tools: Option<tools::HasToolsPre<State>>,
}

impl Linked {
    pub(crate) fn new(pre: &InstancePre<State>) -> wasmtime::Result<Self> {
        let component = pre.component();
        let tools = optional(component, Kind::Tools, tools::HasToolsPre::new(pre.clone()))?;
        let catalog = catalog::HasCatalogPre::new(pre.clone());
        Ok(Self {
            catalog: if tools.is_some() { None } else { Some(catalog?) },
            text: optional(component, Kind::Text, text::HasTextPre::new(pre.clone()))?,
            embedding: optional(component, Kind::Embedding, embedding::HasEmbeddingPre::new(pre.clone()))?,
            tokens: optional(component, Kind::Tokens, tokens::HasTokensPre::new(pre.clone()))?,
            library: optional(component, Kind::Library, library::HasLibraryPre::new(pre.clone()))?,
            tools,
        })
    }
}

/// Nothing where the interface is not there at all; else what was found, or what is wrong with it.
fn optional<T>(component: &Component, kind: Kind, found: wasmtime::Result<T>) -> wasmtime::Result<Option<T>> {
    let prefix = format!("{}/{kind}@", crate::sandbox::contract::package_of(kind));
    let ty = component.component_type();
    let exported = ty.exports(component.engine()).any(|(name, _)| name.starts_with(&prefix));
    if exported { found.map(Some) } else { Ok(None) }
}
