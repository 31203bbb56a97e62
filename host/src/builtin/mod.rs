//! Tools that come with the program: the time, a calculator, files below one folder, a page of the web. They are off
//! unless asked for, and none of them runs a program.

mod calculator;
mod clock;
mod files;
mod page;
mod web;

pub(crate) use files::Folder;

use crate::egress::Fetcher;
use crate::limits::Limits;
use crate::tools::Callable;
use std::sync::Arc;

/// The name of the source whose tools read below a folder, which has to be named.
pub(crate) const FILES: &str = "files";

/// All of them, by source.
pub(crate) fn sources(
    folder: Option<Folder>,
    fetcher: Arc<Fetcher>,
    limits: Limits,
) -> [(&'static str, Vec<Arc<dyn Callable>>); 4] {
    [
        ("time", vec![Arc::new(clock::now()), Arc::new(clock::convert())]),
        ("calculator", vec![Arc::new(calculator::calculate())]),
        (FILES, vec![Arc::new(files::list(folder.clone())), Arc::new(files::read(folder))]),
        ("web", vec![Arc::new(web::fetch_page(fetcher, limits))]),
    ]
}
