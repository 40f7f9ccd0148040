//! What can go wrong with any request, as the description of the API tells it.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::{
    IntoResponses, PartialSchema, ToSchema,
    openapi::{
        Content, Header, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type,
        schema::{AdditionalProperties, Schema},
    },
};

/// The media type of problems.
const MEDIA_TYPE: &str = "application/problem+json";

/// Every status that says that a request was not done, and when it is given.
const STATUSES: [(&str, &str); 10] = [
    ("400", "The request cannot be read: `malformed`. The member `field` names what is at fault, where that is one thing."),
    ("401", "The key is missing, or none of this server's: `bad_key`."),
    ("403", "The key lacks the scope that is needed: `forbidden`."),
    (
        "404",
        "There is no such thing, or not on a site that the key is good for: `unknown_site`, `unknown_conversation` or `not_found`.",
    ),
    ("409", "It does not go with the state that things are in; the code says what."),
    ("413", "The body is larger than is allowed here: `too_large`."),
    (
        "422",
        "What was sent can be read, and is not good: `invalid_conversation` with all its `problems`; or its Idempotency-Key belongs \
         to another request: `idempotency_mismatch`.",
    ),
    ("429", "More than the rate limit allows: `too_many_requests`."),
    ("500", "The server failed; its log says why: `internal`."),
    ("503", "The server cannot take it now, or it took too long: `unavailable`."),
];

/// The answers that every operation may give besides those of its own.
pub(super) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        STATUSES.into_iter().map(|(status, about)| (status.to_owned(), RefOr::T(response(status, about)))).collect()
    }
}

fn response(status: &str, about: &str) -> Response {
    let body = Content::new(Some(Ref::from_schema_name(ProblemBody::name())));
    let response = ResponseBuilder::new().description(about).content(MEDIA_TYPE, body);
    let response = match status {
        "401" => response.header("WWW-Authenticate", text("How to say who one is: `Bearer`.")),
        "429" => response
            .header("Retry-After", number("After how many seconds to try again."))
            .header("RateLimit-Limit", number("How many requests may be made a minute."))
            .header("RateLimit-Remaining", number("How many of them may be made now."))
            .header("RateLimit-Reset", number("After how many seconds all of them may be made again.")),
        "503" => response.header("Retry-After", number("After how many seconds to try again.")),
        _ => response,
    };
    response.build()
}

fn header(kind: Type, about: &str) -> Header {
    HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(kind))).description(Some(about)).build()
}

fn text(about: &str) -> Header {
    header(Type::String, about)
}

fn number(about: &str) -> Header {
    header(Type::Integer, about)
}

/// A problem ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
pub(super) struct ProblemBody;

impl PartialSchema for ProblemBody {
    fn schema() -> RefOr<Schema> {
        let text = |about: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(about));
        let status = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("The status of the answer once more."))
            .minimum(Some(400_u32))
            .maximum(Some(599_u32));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("What went wrong (RFC 9457). Some problems have further members, which their operations tell of."))
            .property("type", text("Always `about:blank`: the code says more than a status.").enum_values(Some(["about:blank"])))
            .property("title", text("The kind of problem, for people; the same for the same code."))
            .property("status", status)
            .property("code", text("The kind of problem, for programs."))
            .property("detail", text("This problem, for people."))
            .property("field", text("The field, parameter or header that is at fault, where it is one."))
            .required("type")
            .required("title")
            .required("status")
            .required("code")
            .required("detail")
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)))
            .examples([json!({
                "type": "about:blank", "title": "The request cannot be read", "status": 400, "code": "malformed",
                "detail": "expected a number from 1 to 1000", "field": "limit",
            })])
            .into()
    }
}

impl ToSchema for ProblemBody {}
