//! The macro that makes a component of a [`Provider`](crate::Provider).

/// Exports a type that implements [`Provider`](crate::Provider) as the component's `catalog` and `text`.
/// Natively it does nothing, so that the crate's tests build.
///
/// ```ignore
/// aimu_sdk::export_provider!(MyProvider);
/// ```
#[macro_export]
macro_rules! export_provider {
    ($provider:ty) => {
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
        };
    };
}
