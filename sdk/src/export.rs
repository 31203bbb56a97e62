//! The macro that makes a component of a [`Provider`](crate::Provider).

/// Exports a type that implements [`Provider`](crate::Provider) as the component's `catalog` and `text`, and the
/// optional interfaces that are named: `embedding` for [`Embedding`](crate::Embedding), `tokens` for
/// [`CountTokens`](crate::CountTokens), `library` for [`Pull`](crate::Pull). Natively it does nothing, so that the
/// crate's tests build.
///
/// ```ignore
/// aimu_sdk::export_provider!(MyProvider);
/// aimu_sdk::export_provider!(MyProvider: embedding, tokens);
/// ```
#[macro_export]
macro_rules! export_provider {
    ($provider:ty $(: $($optional:ident),+ $(,)?)?) => {
        // A component's export names mean nothing to a native linker, which refuses them.
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Description = <$provider as $crate::Provider>::describe;
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Component;

            impl $crate::bindings::exports::aimu::provider::catalog::Guest for Component {
                fn describe() -> $crate::Description {
                    <$provider as $crate::Provider>::describe()
                }
                fn models(ctx: $crate::Context) -> Result<Vec<$crate::ModelSpec>, $crate::Failure> {
                    <$provider as $crate::Provider>::models(ctx)
                }
            }

            impl $crate::bindings::exports::aimu::provider::text::Guest for Component {
                fn chat(
                    ctx: $crate::Context,
                    request: $crate::ChatRequest,
                    sink: &$crate::bindings::aimu::provider::host::EventSink,
                ) -> Result<$crate::Completion, $crate::Failure> {
                    let mut events = $crate::Events::new(sink);
                    let outcome = <$provider as $crate::Provider>::chat(ctx, request, &mut events);
                    events.flush();
                    outcome
                }
                fn generate(
                    ctx: $crate::Context,
                    request: $crate::GenerateRequest,
                    sink: &$crate::bindings::aimu::provider::host::EventSink,
                ) -> Result<$crate::Completion, $crate::Failure> {
                    let mut events = $crate::Events::new(sink);
                    let outcome = <$provider as $crate::Provider>::generate(ctx, request, &mut events);
                    events.flush();
                    outcome
                }
            }

            $crate::bindings::export_world!(Component with_types_in $crate::bindings);
            $($($crate::export_optional!($optional $provider);)+)?
        };
    };
}

/// One optional interface, for the type `Component` where it is expanded.
#[doc(hidden)]
#[macro_export]
macro_rules! export_optional {
    (embedding $provider:ty) => {
        impl $crate::bindings::optional::embedding::exports::aimu::provider::embedding::Guest for Component {
            fn embed(
                ctx: $crate::Context,
                request: $crate::EmbedRequest,
            ) -> Result<$crate::Embeddings, $crate::Failure> {
                <$provider as $crate::Embedding>::embed(ctx, request)
            }
        }
        $crate::bindings::optional::embedding::export_embedding!(
            Component with_types_in $crate::bindings::optional::embedding
        );
    };
    (tokens $provider:ty) => {
        impl $crate::bindings::optional::tokens::exports::aimu::provider::tokens::Guest for Component {
            fn count(ctx: $crate::Context, request: $crate::ChatRequest) -> Result<u32, $crate::Failure> {
                <$provider as $crate::CountTokens>::count(ctx, request)
            }
        }
        $crate::bindings::optional::tokens::export_tokens!(
            Component with_types_in $crate::bindings::optional::tokens
        );
    };
    (library $provider:ty) => {
        impl $crate::bindings::optional::library::exports::aimu::provider::library::Guest for Component {
            fn pull(
                ctx: $crate::Context,
                model: String,
                sink: &$crate::bindings::aimu::provider::host::EventSink,
            ) -> Result<(), $crate::Failure> {
                let mut events = $crate::Events::new(sink);
                let outcome = <$provider as $crate::Pull>::pull(ctx, model, &mut events);
                events.flush();
                outcome
            }
        }
        $crate::bindings::optional::library::export_library!(
            Component with_types_in $crate::bindings::optional::library
        );
    };
    ($other:ident $provider:ty) => {
        compile_error!("the optional interfaces are `embedding`, `tokens` and `library`");
    };
}
