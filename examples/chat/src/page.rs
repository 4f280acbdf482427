//! The page: a handful of files, read from the disk whenever they are asked for, so that an edit shows on reload.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use std::fmt;
use std::path::{Path, PathBuf};

/// The page of every room: which one it is, the page reads from its own address.
const INDEX: (&str, &str) = ("index.html", "text/html; charset=utf-8");

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Where a browser finds the rest: address, file, content type. Nothing else on the disk can be asked for.
const FILES: [(&str, &str, &str); 5] = [
    ("/chat.css", "chat.css", "text/css; charset=utf-8"),
    ("/chat.js", "chat.js", SCRIPT),
    ("/transcript.js", "transcript.js", SCRIPT),
    ("/typing.js", "typing.js", SCRIPT),
    ("/vendor/phoenix.mjs", CLIENT, SCRIPT),
];

/// The client, as npm installs it.
const CLIENT: &str = "node_modules/phoenix/priv/static/phoenix.mjs";

const LOBBY: &str = "/room/lobby";

/// A directory that has all files of the page.
#[derive(Debug)]
pub(crate) struct Page {
    root: PathBuf,
}

/// Why a directory is not the page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PageError {
    MissingFile { path: PathBuf },
    MissingClient { root: PathBuf },
}

impl Page {
    /// Takes a directory, if the files are there.
    pub(crate) fn open(root: PathBuf) -> Result<Self, PageError> {
        let is_missing = |file: &&str| !root.join(file).is_file();
        let files = [INDEX.0].into_iter().chain(FILES.map(|(_, file, _)| file));

        match files.into_iter().find(is_missing) {
            None => Ok(Self { root }),
            Some(CLIENT) => Err(PageError::MissingClient { root }),
            Some(file) => Err(PageError::MissingFile { path: root.join(file) }),
        }
    }

    /// The routes that serve it.
    pub(crate) fn routes(self) -> Router {
        let to_lobby = || get(async || Redirect::to(LOBBY));
        let file = |name: &str, content_type: &'static str| {
            let path = self.root.join(name);
            get(async move || answer(&path, content_type).await)
        };

        let rooms = Router::new()
            .route("/", to_lobby())
            .route("/room", to_lobby())
            .route("/room/", to_lobby())
            .route("/room/{*name}", file(INDEX.0, INDEX.1));
        FILES.iter().fold(rooms, |router, (address, name, content_type)| {
            router.route(address, file(name, content_type))
        })
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingFile { path } => {
                write!(f, "the page has no {}; say where it is with --page", path.display())
            }
            Self::MissingClient { root } => {
                write!(f, "the npm package `phoenix` is not installed; run `npm ci` in {}", root.display())
            }
        }
    }
}

async fn answer(path: &Path, content_type: &'static str) -> Response {
    let Ok(content) = crate::runtime::read(path).await else {
        return (StatusCode::NOT_FOUND, "this file was there when the chat started").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_without_the_page_is_refused_with_the_first_file_it_lacks() {
        let nowhere = PathBuf::from("/nowhere");

        let error = Page::open(nowhere.clone()).expect_err("there is nothing");

        assert_eq!(error, PageError::MissingFile { path: nowhere.join("index.html") });
    }

    #[test]
    fn a_missing_client_says_how_to_install_it() {
        let error = PageError::MissingClient { root: "page".into() };

        assert!(error.to_string().contains("`npm ci` in page"), "{error}");
    }
}
