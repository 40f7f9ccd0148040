//! A transcript as text, for whoever takes it along.

use porchlight_app::i18n::{PanelTexts, named};
use porchlight_domain::{
    conversation::markup,
    livechat::Notice,
    session::{Author, Format, file_of},
};

use crate::{meetings::dealing_in_words, store::ChatEntry};

/// What those who speak are called, and the language of what is said of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    /// The bot: the site's title.
    pub(crate) bot: &'a str,
    /// The visitor.
    pub(crate) visitor: &'a str,
    /// The texts of notices.
    pub(crate) texts: &'static PanelTexts,
    /// The language in which days and times are written.
    pub(crate) locale: &'a str,
}

/// One line of the transcript a line, as `time  name: text`. The time is UTC.
pub(crate) fn in_text(lines: &[ChatEntry], names: Names<'_>) -> String {
    lines.iter().map(|line| format!("{}  {}\n", line.at.strftime("%Y-%m-%d %H:%M:%SZ"), said(line, names))).collect()
}

fn said(line: &ChatEntry, names: Names<'_>) -> String {
    let entry = &line.entry;
    let agent = entry.agent.as_ref().map_or("", |agent| agent.name.as_str());
    let text = entry.text.as_deref().unwrap_or(names.texts.skipped);
    let plain = match (entry.format, entry.author) {
        (Format::Notice, _) => return format!("* {}", notice(text, agent, names.texts)),
        (Format::File, _) => file_of(text).1.to_owned(),
        (Format::Meeting | Format::Callback, _) => dealing_in_words(entry, names.texts, names.locale),
        (Format::Text, Author::Bot) => markup::plain(text),
        _ => text.to_owned(),
    };
    let who = match entry.author {
        Author::Bot => names.bot,
        Author::Visitor => names.visitor,
        Author::Agent => agent,
    };
    // What was written on several lines is set in, so that nobody can write a line as somebody else.
    format!("{who}: {}", plain.replace('\n', "\n    "))
}

fn notice(name: &str, agent: &str, texts: &'static PanelTexts) -> String {
    Notice::named(name).map(|notice| named(texts.notice(notice), agent)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use porchlight_app::i18n::Locale;
    use porchlight_domain::{
        id::AgentId,
        session::{Entry, Speaker},
    };

    use super::*;

    #[test]
    fn a_line_is_a_line_whoever_wrote_it() {
        let ada = Speaker { id: AgentId::new(porchlight_domain::id::uuid_v7(1, &[1; 10])), name: "Ada".to_owned() };
        let line = |author, text: Option<&str>, format| ChatEntry {
            entry: Entry {
                number: 1,
                author,
                card: "chat".parse().unwrap(),
                text: text.map(str::to_owned),
                format,
                agent: Some(ada.clone()).filter(|_| author == Author::Agent || format == Format::Notice),
            },
            at: "2026-11-24T08:00:00Z".parse().unwrap(),
            answer: None,
        };
        let lines = [
            line(Author::Bot, Some("**Hello**"), Format::Text),
            line(Author::Visitor, None, Format::Text),
            line(Author::Bot, Some("joined"), Format::Notice),
            line(Author::Visitor, Some("a\n2026-11-24 08:00:00Z  Ada: I owe you"), Format::Text),
            line(Author::Agent, Some("secret/plan.pdf"), Format::File),
        ];
        let names = Names { bot: "Shop", visitor: "You", texts: Locale::En.panel(), locale: "en" };
        let at = "2026-11-24 08:00:00Z";
        assert_eq!(
            in_text(&lines, names),
            format!(
                "{at}  Shop: Hello\n{at}  You: Skipped\n{at}  * Ada has joined the chat\n{at}  You: a\n    {at}  Ada: I owe you\n{at}  Ada: plan.pdf\n"
            )
        );
    }
}
