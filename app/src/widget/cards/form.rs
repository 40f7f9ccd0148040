//! Asks for several things at once.

use leptos::prelude::*;
use porchlight_domain::{
    conversation::{FieldKind, limits},
    session::FormAsk,
};

use super::{SkipButton, Wrong, phone::CountryPicker};
use crate::{
    i18n::{PanelTexts, named},
    ui::as_content,
    widget::state::Country,
};

/// The faces of a rating, from sad to glad.
const FACES: [&str; 5] = ["😞", "🙁", "😐", "🙂", "😀"];

/// What was filled in before, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub(super) struct FilledIn {
    /// The values by the names of their fields.
    pub(super) values: Vec<(String, String)>,
    /// What is wrong, by the names of the fields.
    pub(super) wrong: Vec<(String, String)>,
}

/// The fields of a form, and the button that sends them.
#[component]
pub(super) fn FormCard(
    fields: Vec<FormAsk>,
    submit: Option<String>,
    optional: bool,
    filled: FilledIn,
    countries: Vec<Country>,
    country: String,
    texts: &'static PanelTexts,
) -> impl IntoView {
    view! {
        <div class="fields">
            {fields
                .into_iter()
                .map(|field| {
                    let of = |values: &[(String, String)]| {
                        values.iter().find(|(name, _)| *name == field.name.as_str()).map(|(_, value)| value.clone())
                    };
                    let (typed, why) = (of(&filled.values), of(&filled.wrong));
                    let dialled = filled.values.iter().find(|(name, _)| *name == format!("{}.country", field.name));
                    let dialled = dialled.map_or_else(|| country.clone(), |(_, country)| country.clone());
                    view! { <FormField field typed why countries=countries.clone() country=dialled texts/> }
                })
                .collect_view()}
        </div>
        <div class="choices">
            <button type="submit" class="go-on">{submit.unwrap_or_else(|| texts.submit_form.to_owned())}</button>
        </div>
        <SkipButton optional texts/>
    }
}

#[component]
fn FormField(
    field: FormAsk,
    typed: Option<String>,
    why: Option<String>,
    countries: Vec<Country>,
    country: String,
    texts: &'static PanelTexts,
) -> impl IntoView {
    let FormAsk { name, kind, label, mandatory, choices, consent, known } = field;
    let (id, sent) = (format!("field-{name}"), format!("f.{name}"));
    let described = format!("wrong-{name}");
    let value = typed.or(known).unwrap_or_default();
    let invalid = why.is_some().to_string();
    let must = || mandatory.then(|| view! { <span class="must">" ("{texts.mandatory}")"</span> });
    let wrong = || view! { <Wrong field=name.to_string() why=why.clone()/> };
    let required = mandatory.to_string();
    let line = |kind: &'static str, keyboard: &'static str, fills: &'static str, most: usize, ltr: bool| {
        view! {
            <input id=id.clone() name=sent.clone() type=kind inputmode=keyboard autocomplete=fills class="input whole" spellcheck="false"
                maxlength=most.to_string() dir=if ltr { "ltr" } else { "auto" } value=value.clone()
                aria-required=required.clone() aria-invalid=invalid.clone() aria-describedby=described.clone()/>
        }
        .into_any()
    };
    let labelled = |control: AnyView| {
        view! { <div class="form-field"><label class="label" for=id.clone() dir="auto">{label.clone()}{must()}</label>{control}{wrong()}</div> }.into_any()
    };
    let rated = |class: &'static str, options: Vec<(String, String, String)>| {
        view! {
            <fieldset class="form-field" aria-describedby=described.clone() aria-invalid=invalid.clone()>
                <legend class="label" dir="auto">{label.clone()}{must()}</legend>
                <div class=format!("rating {class}")>
                    {options
                        .into_iter()
                        .map(|(number, face, says)| {
                            let (checked, title) = (number == value, says.clone());
                            view! {
                                <label class="rate" title=title>
                                    <input type="radio" name=sent.clone() value=number checked=checked class="sr-only"/>
                                    <span aria-hidden="true">{face}</span><span class="sr-only">{says}</span>
                                </label>
                            }
                        })
                        .collect_view()}
                </div>
                {(class == "score").then(|| view! { <p class="ends" aria-hidden="true"><span>{texts.score_least}</span><span>{texts.score_most}</span></p> })}
                {wrong()}
            </fieldset>
        }
        .into_any()
    };
    match kind {
        FieldKind::Text => labelled(line("text", "text", "off", limits::LABEL, false)),
        FieldKind::Name => labelled(line("text", "text", "name", limits::LABEL, false)),
        FieldKind::FirstName => labelled(line("text", "text", "given-name", limits::LABEL, false)),
        FieldKind::LastName => labelled(line("text", "text", "family-name", limits::LABEL, false)),
        FieldKind::Company => labelled(line("text", "text", "organization", limits::LABEL, false)),
        FieldKind::Email => labelled(line("email", "email", "email", 254, true)),
        FieldKind::Date => labelled(line("date", "none", "off", 10, true)),
        FieldKind::TextArea => labelled(
            view! {
                <textarea id=id.clone() name=sent.clone() rows="3" class="input whole" dir="auto" maxlength=limits::VALUE.to_string()
                    aria-required=required.clone() aria-invalid=invalid.clone() aria-describedby=described.clone()>{as_content(&value)}</textarea>
            }
            .into_any(),
        ),
        FieldKind::Phone => labelled(
            view! {
                <div class="field">
                    <CountryPicker name=format!("{sent}.country") countries country texts/>
                    {line("tel", "tel", "tel-national", 40, true)}
                </div>
            }
            .into_any(),
        ),
        FieldKind::Choice => labelled(
            view! {
                <select id=id.clone() name=sent.clone() class="input whole" dir="auto" aria-required=required.clone() aria-invalid=invalid.clone() aria-describedby=described.clone()>
                    <option value="">{texts.pick}</option>
                    {choices
                        .into_iter()
                        .map(|choice| {
                            let selected = choice.value == value;
                            view! { <option value=choice.value selected=selected>{choice.label}</option> }
                        })
                        .collect_view()}
                </select>
            }
            .into_any(),
        ),
        FieldKind::CheckBox | FieldKind::Consent => {
            let says = consent.map(|consent| view! { <span class="consent" dir="auto">{consent}</span> });
            view! {
                <div class="form-field">
                    <label class="check" dir="auto">
                        <input id=id.clone() type="checkbox" name=sent.clone() value="true" checked={value == "true"} aria-required=required.clone() aria-invalid=invalid.clone() aria-describedby=described.clone()/>
                        <span>{label.clone()}{must()}{says}</span>
                    </label>
                    {wrong()}
                </div>
            }
            .into_any()
        }
        FieldKind::Stars => {
            rated("stars", (1..=5).map(|star: u8| (star.to_string(), "★".to_owned(), named(texts.stars_of, &star.to_string()))).collect())
        }
        FieldKind::Smileys => {
            let names = [texts.faces_1, texts.faces_2, texts.faces_3, texts.faces_4, texts.faces_5];
            let faces = FACES.iter().zip(names).enumerate();
            rated("smileys", faces.map(|(index, (face, name))| ((index + 1).to_string(), (*face).to_owned(), name.to_owned())).collect())
        }
        FieldKind::Score => rated("score", (0..=10).map(|score: u8| (score.to_string(), score.to_string(), score.to_string())).collect()),
    }
}
