//! The operators' page: its files, and what a browser is told with them.

use reqwest::Method;
use rstest::rstest;

use crate::app::{Answer, TestApp, spawn_app, spawn_app_without};

/// Asks without a token, for the files hold no secret.
async fn ask(app: &TestApp, method: Method, path: &str, known: Option<&str>) -> Answer {
    let request = reqwest::Client::builder().no_proxy().build().unwrap().request(method, url(app, path));
    let request = match known {
        Some(known) => request.header("if-none-match", known),
        None => request,
    };
    app.post(request).await
}

fn url(app: &TestApp, path: &str) -> String {
    format!("http://{}{path}", app.operator)
}

#[rstest]
#[case("/", "text/html; charset=utf-8", "<!doctype html>")]
#[case("/page/app.js", "text/javascript; charset=utf-8", "import ")]
#[case("/page/views/try.js", "text/javascript; charset=utf-8", "export ")]
#[case("/page/style.css", "text/css; charset=utf-8", ":root")]
#[case("/page/icon.svg", "image/svg+xml", "<svg")]
#[tokio::test]
async fn a_file_comes_with_its_type_and_what_a_browser_must_heed(
    #[case] path: &str,
    #[case] kind: &str,
    #[case] part: &str,
) {
    let app = spawn_app().await;
    let answer = ask(&app, Method::GET, path, None).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some(kind)));
    assert!(answer.body.contains(part), "{}", answer.body);
    let policy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'";
    assert_eq!(answer.header("content-security-policy"), Some(policy));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
}

/// Whatever it answers, also that there is nothing, and that a token is needed.
#[rstest]
#[tokio::test]
async fn no_other_site_gets_an_answer_of_the_operators(
    #[values("/", "/page/icon.svg", "/metrics", "/openapi.json", "/docs", "/nothing", "/api/templates")] path: &str,
) {
    let answer = ask(&spawn_app().await, Method::GET, path, None).await;
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

/// Its style sheet has its icons in itself.
#[rstest]
#[tokio::test]
async fn the_viewer_of_the_interface_has_a_policy_of_its_own(
    #[values("/docs", "/docs/docs.js", "/docs/swagger-ui.css")] path: &str,
) {
    let answer = ask(&spawn_app().await, Method::GET, path, None).await;
    let policy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; \
                  form-action 'none'; object-src 'none'";
    assert_eq!((answer.status.as_u16(), answer.header("content-security-policy")), (200, Some(policy)));
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let app = spawn_app().await;
    let tag = ask(&app, Method::GET, "/page/app.js", None).await.header("etag").unwrap().to_owned();
    assert_ne!(ask(&app, Method::GET, "/", None).await.header("etag"), Some(&*tag));
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let answer = ask(&app, Method::GET, "/page/app.js", Some(&known)).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (304, ""), "{known}");
        assert_eq!((answer.header("etag"), answer.header("cache-control")), (Some(&*tag), Some("no-cache")));
    }
    for unknown in ["\"other\"", "not a tag"] {
        assert_eq!(ask(&app, Method::GET, "/page/app.js", Some(unknown)).await.status, 200, "{unknown}");
    }
}

#[rstest]
#[case::nothing("/page")]
#[case::folder("/page/")]
#[case::folder_of_views("/page/views")]
#[case::frame_at_another_address("/page/index.html")]
#[case::viewer_at_another_address("/page/docs/index.html")]
#[case::file_of_the_viewer_at_another_address("/page/docs/docs.js")]
#[case::unknown("/page/none.js")]
#[case::encoded_way_out("/page/%2e%2e/Cargo.toml")]
#[case::encoded_slashes("/page/..%2fsrc%2fmain.rs")]
#[case::backslashes("/page/..%5cCargo.toml")]
#[case::absolute("/page//etc/hostname.txt")]
#[case::elsewhere("/app.js")]
#[tokio::test]
async fn there_is_nothing_else(#[case] path: &str) {
    let app = spawn_app().await;
    let answer = ask(&app, Method::GET, path, None).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (404, "There is nothing here.\n"));
}

#[rstest]
#[tokio::test]
async fn another_method_is_told_which_there_is(
    #[values(Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS)] method: Method,
    #[values("/", "/page/app.js", "/page/none.js")] path: &str,
) {
    let app = spawn_app().await;
    let answer = ask(&app, method, path, None).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET, HEAD")));
}

#[tokio::test]
async fn without_an_operators_token_there_is_no_page() {
    let app = spawn_app_without("operator.token").await;
    for path in ["/", "/page/app.js", "/page/style.css"] {
        assert_eq!(ask(&app, Method::GET, path, None).await.status, 404, "{path}");
    }
    assert_eq!(ask(&app, Method::GET, "/metrics", None).await.status, 200);
}

#[tokio::test]
async fn the_page_is_not_on_the_listener_that_faces_the_world() {
    let app = spawn_app().await;
    for path in ["/", "/page/app.js"] {
        assert_eq!(app.get(app.url(path)).await.status, 404, "{path}");
    }
}
