//! The pages around the desk: plain forms, which need no script.

use leptos::prelude::*;

use crate::ui::as_content;

/// What is wrong with what was sent, in words; announced by screen readers.
#[component]
pub fn ProblemLine(
    /// The words.
    problem: Option<String>,
) -> impl IntoView {
    view! { <p class="form-problem" role="alert">{problem}</p> }
}

/// A field with its label.
#[component]
pub fn LabelledField(
    /// Its name in the form.
    name: &'static str,
    /// What it is called.
    label: &'static str,
    /// The kind of input.
    #[prop(default = "text")]
    kind: &'static str,
    /// What stands in it.
    #[prop(optional, into)]
    value: String,
    /// What the browser may fill in.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// What is expected, below it.
    #[prop(optional)]
    hint: &'static str,
    /// Whether it may be empty.
    #[prop(optional)]
    optional: bool,
) -> impl IntoView {
    view! {
        <label class="field">
            <span class="label">{label}</span>
            <input class="input" name=name type=kind value=value autocomplete=autocomplete required=!optional dir="auto"/>
            {(!hint.is_empty()).then(|| view! { <span class="hint">{hint}</span> })}
        </label>
    }
}

/// Signing in.
#[component]
pub fn SignInPage(
    /// The address that was typed.
    email: String,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    view! {
        <div class="card narrow">
            <h1>"Sign in"</h1>
            <form method="post" action="/console/sign-in">
                <ProblemLine problem/>
                <LabelledField name="email" label="E-mail address" kind="email" value=email autocomplete="username"/>
                <LabelledField name="password" label="Password" kind="password" autocomplete="current-password"/>
                <button class="button-primary" type="submit">"Sign in"</button>
            </form>
            <p class="hint">"Forgotten your password? An administrator can give you a new link."</p>
        </div>
    }
}

/// Choosing a password.
#[component]
pub fn JoinPage(
    /// The name that was typed.
    name: String,
    /// The token of the link, as far as the server has seen it.
    token: String,
    /// What was wrong.
    problem: Option<String>,
    /// The nonce of the script that takes the token out of the address.
    nonce: String,
) -> impl IntoView {
    let script = "const f=document.querySelector('[name=token]');\
                  if(location.hash.length>1){f.value=location.hash.slice(1);history.replaceState(null,'',location.pathname)}";
    view! {
        <div class="card narrow">
            <h1>"Welcome to Porchlight"</h1>
            <form method="post" action="/console/join">
                <ProblemLine problem/>
                <LabelledField name="token" label="Code of your link" value=token hint="What stands after # in the link you were given"/>
                <LabelledField name="name" label="Your name" value=name autocomplete="name" hint="Visitors see it"/>
                <LabelledField name="password" label="A new password" kind="password" autocomplete="new-password" hint="12 to 200 characters"/>
                <button class="button-primary" type="submit">"Begin"</button>
            </form>
        </div>
        <script nonce=nonce>{script}</script>
    }
}

/// An agent, as the list of agents shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentLine {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their role.
    pub role: &'static str,
    /// Their sites, in words.
    pub sites: String,
    /// The languages they answer in, with commas between.
    pub languages: String,
    /// What they know about, with commas between.
    pub skills: String,
    /// Their limit of chats, if they have their own.
    pub limit: String,
    /// Whether they have joined, or may no longer sign in.
    pub state: &'static str,
    /// Whether they may no longer sign in.
    pub disabled: bool,
}

/// The agents, for an administrator.
#[component]
pub fn AgentsPage(
    /// All of them.
    agents: Vec<AgentLine>,
    /// The sites there are.
    sites: Vec<String>,
    /// A link that was just made: for whom, and the link. It is shown once.
    link: Option<(String, String)>,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    let several = sites.join(", ");
    let role = |chosen: &'static str| {
        ["agent", "author", "administrator"]
            .map(|role| view! { <option value=role selected=role == chosen>{role}</option> })
            .collect_view()
    };
    view! {
        <h1>"Agents"</h1>
        <ProblemLine problem/>
        {link.map(|(who, link)| view! {
            <div class="card notice" role="status">
                <p>"The link for "<strong dir="auto">{who}</strong>". It is good once, and shown only now:"</p>
                <p><code class="link-once">{link}</code></p>
            </div>
        })}
        <ul class="agent-list">
            {agents.into_iter().map(|agent| view! {
                <li class="card">
                    <details>
                        <summary>
                            <strong dir="auto">{agent.name.clone()}</strong> " " <span class="hint">{agent.email.clone()}</span>
                            " " <span class="chip">{agent.role}</span> " " <span class="hint">{agent.state}</span>
                        </summary>
                        <form method="post" action=format!("/console/agents/{}", agent.id)>
                            <LabelledField name="name" label="Name" value=agent.name/>
                            <label class="field"><span class="label">"Role"</span><select class="input" name="role">{role(agent.role)}</select></label>
                            <LabelledField name="sites" label="Sites" value=agent.sites optional=true hint="Their keys, with commas between; an administrator works for all"/>
                            <LabelledField name="languages" label="Languages" value=agent.languages optional=true hint="Such as de, en; none: any"/>
                            <LabelledField name="skills" label="Skills" value=agent.skills optional=true hint="With commas between"/>
                            <LabelledField name="limit" label="Chats at once" value=agent.limit optional=true hint="Empty: as the server's setting says"/>
                            <label class="check"><input type="checkbox" name="disabled" value="true" checked=agent.disabled/>" May not sign in"</label>
                            <div class="buttons">
                                <button class="button-primary" type="submit" name="do" value="save">"Save"</button>
                                <button class="button" type="submit" name="do" value="link">"New link for a password"</button>
                            </div>
                        </form>
                    </details>
                </li>
            }).collect_view()}
        </ul>
        <form class="card" method="post" action="/console/agents">
            <h2>"Invite somebody"</h2>
            <LabelledField name="name" label="Name"/>
            <LabelledField name="email" label="E-mail address" kind="email"/>
            <label class="field"><span class="label">"Role"</span><select class="input" name="role">{role("agent")}</select></label>
            <LabelledField name="sites" label="Sites" value=several optional=true hint="Their keys, with commas between"/>
            <button class="button-primary" type="submit">"Make a link"</button>
        </form>
    }
}

/// One's own hours.
#[component]
pub fn AvailabilityPage(
    /// The time zone.
    time_zone: String,
    /// The hours, a line each.
    hours: String,
    /// Whether one takes chats now, and what was switched by hand.
    now: String,
    /// Whether it was saved.
    saved: bool,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    view! {
        <h1>"Availability"</h1>
        <p class="hint">{now}</p>
        <form class="card" method="post" action="/console/availability">
            <ProblemLine problem/>
            {saved.then(|| view! { <p role="status">"Saved."</p> })}
            <LabelledField name="time_zone" label="Time zone" value=time_zone hint="Such as Europe/Berlin"/>
            <label class="field">
                <span class="label">"Hours"</span>
                <textarea class="input" name="hours" rows="8" spellcheck="false">{as_content(&hours)}</textarea>
                <span class="hint">"A line each, such as monday 09:00-17:00 or 2026-12-25 closed. Without any, you are available whenever the console is open."</span>
            </label>
            <button class="button-primary" type="submit">"Save"</button>
        </form>
    }
}

/// Canned responses.
#[component]
pub fn ResponsesPage(
    /// Site, shortcut and text of each.
    responses: Vec<(String, String, String)>,
    /// The sites one works for.
    sites: Vec<String>,
    /// Whether one may change them.
    changes: bool,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    let empty = responses.is_empty();
    view! {
        <h1>"Canned responses"</h1>
        <p class="hint">"Type / and the shortcut while you answer. A text may hold {{visitor.firstName|there}} or another attribute of the visitor, with what stands there while it is not known, {{page.url}}, and {{agent}}, your own name."</p>
        <ProblemLine problem/>
        {empty.then(|| view! { <p class="empty">"There are none yet."</p> })}
        <ul class="agent-list">
            {responses.into_iter().map(|(site, shortcut, text)| view! {
                <li class="card">
                    <strong>"/"{shortcut.clone()}</strong> " " <span class="chip">{site.clone()}</span>
                    <p class="said" dir="auto">{text}</p>
                    {changes.then(|| view! {
                        <form method="post" action="/console/responses">
                            <input type="hidden" name="site" value=site/>
                            <input type="hidden" name="shortcut" value=shortcut/>
                            <button class="button" type="submit" name="do" value="remove">"Remove"</button>
                        </form>
                    })}
                </li>
            }).collect_view()}
        </ul>
        {changes.then(|| view! {
            <form class="card" method="post" action="/console/responses">
                <h2>"Add or change one"</h2>
                <label class="field"><span class="label">"Site"</span>
                    <select class="input" name="site">{sites.into_iter().map(|site| view! { <option value=site.clone()>{site.clone()}</option> }).collect_view()}</select>
                </label>
                <LabelledField name="shortcut" label="Shortcut" hint="1 to 64 letters, digits, - or _"/>
                <label class="field"><span class="label">"Text"</span><textarea class="input" name="text" rows="4" required=true></textarea></label>
                <button class="button-primary" type="submit" name="do" value="save">"Save"</button>
            </form>
        })}
    }
}

/// A team, as the list of teams shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamLine {
    /// Its site.
    pub site: String,
    /// Its name within the site.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The addresses of those in it, with commas between.
    pub members: String,
    /// The zone of its opening hours.
    pub time_zone: String,
    /// Its opening hours, a line each; empty: the site's.
    pub hours: String,
}

/// Opening hours of a team.
#[component]
fn TeamHours(time_zone: String, hours: String) -> impl IntoView {
    let open = !hours.is_empty();
    view! {
        <details open=open>
            <summary class="hint mb-2">"Opening hours of its own"</summary>
            <LabelledField name="time_zone" label="Time zone" value=time_zone optional=true hint="Such as Europe/Berlin"/>
            <label class="field">
                <span class="label">"Hours"</span>
                <textarea class="input" name="hours" rows="4" spellcheck="false">{as_content(&hours)}</textarea>
                <span class="hint">"A line each, such as monday 09:00-17:00 or 2026-12-25 closed. Empty: as the site is open."</span>
            </label>
        </details>
    }
}

/// The teams.
#[component]
pub fn TeamsPage(
    /// All of them.
    teams: Vec<TeamLine>,
    /// The sites one works for.
    sites: Vec<String>,
    /// What was wrong.
    problem: Option<String>,
) -> impl IntoView {
    let empty = teams.is_empty();
    view! {
        <h1>"Teams"</h1>
        <ProblemLine problem/>
        {empty.then(|| view! { <p class="empty">"There are none yet."</p> })}
        <ul class="agent-list">
            {teams.into_iter().map(|team| view! {
                <li class="card">
                    <form method="post" action="/console/teams">
                        <strong>{team.id.clone()}</strong> " " <span class="chip">{team.site.clone()}</span>
                        <input type="hidden" name="site" value=team.site/>
                        <input type="hidden" name="id" value=team.id/>
                        <LabelledField name="name" label="Name" value=team.name/>
                        <LabelledField name="members" label="Members" value=team.members optional=true hint="E-mail addresses, with commas between"/>
                        <TeamHours time_zone=team.time_zone hours=team.hours/>
                        <button class="button" type="submit">"Save"</button>
                    </form>
                </li>
            }).collect_view()}
        </ul>
        <form class="card" method="post" action="/console/teams">
            <h2>"A new team"</h2>
            <label class="field"><span class="label">"Site"</span>
                <select class="input" name="site">{sites.into_iter().map(|site| view! { <option value=site.clone()>{site.clone()}</option> }).collect_view()}</select>
            </label>
            <LabelledField name="id" label="Key" hint="By which conversations name it: 1 to 64 letters, digits, - or _"/>
            <LabelledField name="name" label="Name"/>
            <LabelledField name="members" label="Members" optional=true hint="E-mail addresses, with commas between"/>
            <button class="button-primary" type="submit">"Make it"</button>
        </form>
    }
}
