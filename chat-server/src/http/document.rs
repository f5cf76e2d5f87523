//! What every page of the server is made of.

use maud::{DOCTYPE, Markup, html};

/// A page: its title, what else its head has (style sheets, scripts), and its body.
pub(super) fn document(title: &str, head: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                (head)
            }
            body { (body) }
        }
    }
}
