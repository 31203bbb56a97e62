//! Its server fetches models, or so it says: each model's name says how that goes.

use aimu_sdk::library::progress;
use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, FailureKind, Provider, Pull};
use std::thread::sleep;
use std::time::Duration;

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("pulls")
    }

    fn chat(_: Context, _: ChatRequest, _: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::finish()
    }
}

impl Pull for Guest {
    fn pull(_: Context, model: String, events: &mut Events<'_>) -> Result<(), Failure> {
        events.push(progress("looking", None, None));
        for completed in [0, 50, 100] {
            events.push(progress("pulling", Some(completed), Some(100)));
            events.flush();
        }
        match model.as_str() {
            "missing" => Err(Failure::new(FailureKind::NotFound, "there is no such model")),
            "slow" => {
                sleep(Duration::from_secs(60));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

aimu_sdk::export_provider!(Guest: library);
