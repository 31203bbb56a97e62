//! Keeps the sink beyond the call that lent it. The model says how: `stash` puts a copy of the handle into a static,
//! and `generate` looks for one there; `dropped` gives the handle back and goes on using it; `guessed` makes handles
//! up; `late` emits from the clean-up that runs after the call has returned.

use aimu_sdk::bindings::aimu::provider::host::EventSink;
use aimu_sdk::bindings::exports::aimu::provider::{catalog, text};
use aimu_sdk::{ChatRequest, Completion, Context, Description, Event, Failure, GenerateRequest, ModelSpec};
use std::alloc::{GlobalAlloc, Layout, System};
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::SeqCst};
use test_guests::{delta, end, finish, start};

static STASH: AtomicPtr<EventSink> = AtomicPtr::new(ptr::null_mut());
static LATE: AtomicBool = AtomicBool::new(false);

/// A second owner of the same handle, which the type system would not give.
fn copy(sink: &EventSink) -> ManuallyDrop<EventSink> {
    // SAFETY: the handle is an index into the host's table, which is what checks its use.
    ManuallyDrop::new(unsafe { ptr::read(sink) })
}

fn emit(sink: &EventSink, text: &str) {
    let events: [Event; 3] = [start(0), delta(0, text), end(0)];
    sink.emit(&events);
}

/// Frees as the system does, but emits first once it is `LATE`.
struct Allocator;

// SAFETY: all is passed on to the system's allocator.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if LATE.swap(false, SeqCst) {
            // SAFETY: a leaked box, never freed.
            if let Some(sink) = unsafe { STASH.load(SeqCst).as_ref() } {
                emit(sink, "after the end");
            }
        }
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

struct Guest;

impl catalog::Guest for Guest {
    fn describe() -> Description {
        test_guests::description("stash-sink")
    }

    fn models(_: Context) -> Result<Vec<ModelSpec>, Failure> {
        Ok(Vec::new())
    }
}

impl text::Guest for Guest {
    fn chat(_: Context, request: ChatRequest, sink: &EventSink) -> Result<Completion, Failure> {
        match request.model.as_str() {
            "dropped" => {
                drop(ManuallyDrop::into_inner(copy(sink)));
                emit(sink, "with a handle that was given back");
                finish()
            }
            "guessed" => {
                for handle in 0..10_000 {
                    // SAFETY: the host's table is what checks it.
                    let made_up = ManuallyDrop::new(unsafe { EventSink::from_handle(handle) });
                    if made_up.handle() != sink.handle() {
                        emit(&made_up, "with a handle that was made up");
                    }
                }
                finish()
            }
            model => {
                STASH.store(Box::into_raw(Box::new(ManuallyDrop::into_inner(copy(sink)))), SeqCst);
                emit(sink, "stashed");
                // The texts of the result are freed once the host has read them.
                let completion = Completion { raw_finish: Some("freed after the end".into()), ..finish()? };
                LATE.store(model == "late", SeqCst);
                Ok(completion)
            }
        }
    }

    fn generate(_: Context, _: GenerateRequest, sink: &EventSink) -> Result<Completion, Failure> {
        // SAFETY: a leaked box of an earlier call, if there is one.
        match unsafe { STASH.load(SeqCst).as_ref() } {
            Some(stashed) => emit(stashed, "an earlier call's sink was there"),
            None => emit(sink, "nothing is left of an earlier call"),
        }
        finish()
    }
}

aimu_sdk::bindings::export_world!(Guest with_types_in aimu_sdk::bindings);
