// Written by `make generate` from domain/src/event/catalogue.rs; edit that.

/** The fields of every event, by its type. */
export interface PorchlightEventData {
  /** The loader runs and the site's configuration has been read. */
  "widget.loaded": {
    /** the id of the widget's element on the page */
    element: string;
    /** the widget's own id */
    widget: string;
  };
  /** A launcher, popup or inline widget becomes visible; once per widget on the page. */
  "widget.shown": {
    /** the id of the widget's element on the page */
    element: string;
    /** the widget's own id */
    widget: string;
  };
  /** A widget stops being visible. */
  "widget.hidden": {
    /** the id of the widget's element on the page */
    element: string;
    /** the widget's own id */
    widget: string;
  };
  /** The visitor activates a widget. */
  "widget.clicked": {
    /** the id of the widget's element on the page */
    element: string;
    /** the widget's own id */
    widget: string;
    /** the kind of contact it offers */
    kind: "Chat" | "CallbackNow" | "CallbackLater" | "ClickToCall";
  };
  /** A conversation that targets this page and visitor is resolved and shown. */
  "conversation.triggered": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
  };
  /** The visitor's first response; opening the panel is not a response. */
  "conversation.engaged": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
  };
  /** The end of any branch is reached. */
  "conversation.completed": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
  };
  /** The visitor closes the conversation before its end. */
  "conversation.closed": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
  };
  /** A valid phone number is given. */
  "input.phone": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the card that asked */
    card: string;
    /** the address or number itself; on the server only, unless the site shows contact details to its pages */
    value?: string;
  };
  /** A valid e-mail address is given. */
  "input.email": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the card that asked */
    card: string;
    /** the address or number itself; on the server only, unless the site shows contact details to its pages */
    value?: string;
  };
  /** Any other field is given; the event holds the field's name only. */
  "input.captured": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the card that asked */
    card: string;
    /** the attribute the answer is kept as */
    field: string;
  };
  /** A meeting is on an agent's calendar. */
  "meeting.booked": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the agent's name */
    agentName: string | null;
    /** the agent's id */
    agentID: string | null;
    /** the meeting: id, start and end (RFC 3339 with offset), time zone, title, location, address of its ICS file */
    meetingInfo: MeetingInfo;
  };
  /** A meeting was moved to another time. */
  "meeting.rescheduled": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the agent's name */
    agentName: string | null;
    /** the agent's id */
    agentID: string | null;
    /** the meeting: id, start and end (RFC 3339 with offset), time zone, title, location, address of its ICS file */
    meetingInfo: MeetingInfo;
  };
  /** A meeting was called off. */
  "meeting.cancelled": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the agent's name */
    agentName: string | null;
    /** the agent's id */
    agentID: string | null;
    /** the meeting: id, start and end (RFC 3339 with offset), time zone, title, location, address of its ICS file */
    meetingInfo: MeetingInfo;
  };
  /** The visitor asks for an agent and an available one is being resolved. */
  "livechat.requested": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the live chat's id */
    chat: string;
    /** the agent's name */
    agentName: string | null;
    /** the agent's id */
    agentID: string | null;
  };
  /** An agent accepts. */
  "livechat.initiated": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the live chat's id */
    chat: string;
    /** the agent's name */
    agentName: string | null;
    /** the agent's id */
    agentID: string | null;
    /** the ids of visitor and agents in the chat */
    users: string[];
  };
  /** The chat is handed to another agent. */
  "livechat.transferred": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the live chat's id */
    chat: string;
    /** the agent's name */
    agentName: string | null;
    /** the agent's id */
    agentID: string | null;
    /** the ids of visitor and agents in the chat */
    users: string[];
  };
  /** Visitor or agent ends the chat. */
  "livechat.ended": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the live chat's id */
    chat: string;
    /** the agent's name */
    agentName: string | null;
    /** the agent's id */
    agentID: string | null;
    /** whether a survey follows */
    surveyConfigured: boolean;
  };
  /** The chat ends because nobody accepted, or the visitor fell silent or dropped. */
  "livechat.timeout": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the live chat's id */
    chat: string;
    /** the agent's name */
    agentName: string | null;
    /** the agent's id */
    agentID: string | null;
    /** whether a survey follows */
    surveyConfigured: boolean;
    /** whether an agent had accepted */
    online: boolean;
    /** why it ended */
    reason: "unanswered" | "visitor_idle" | "visitor_dropped";
  };
  /** The visitor wrote to an agent. */
  "message.sent": {
    /** the live chat's id */
    chat: string;
    /** the message's id; its text is in the transcript only */
    message: string;
  };
  /** An agent wrote to the visitor. */
  "message.received": {
    /** the live chat's id */
    chat: string;
    /** the message's id; its text is in the transcript only */
    message: string;
    /** the agent's name */
    agentName: string | null;
    /** the agent's id */
    agentID: string | null;
  };
  /** A contact form that precedes a chat, callback or call is shown. */
  "datacollection.started": {
    /** the widget's own id */
    widget: string;
    /** the kind of contact it offers */
    kind: "Chat" | "CallbackNow" | "CallbackLater" | "ClickToCall";
  };
  /** That form is sent. */
  "datacollection.submitted": {
    /** the widget's own id */
    widget: string;
    /** the kind of contact it offers */
    kind: "Chat" | "CallbackNow" | "CallbackLater" | "ClickToCall";
  };
  /** The survey after a chat is shown. */
  "survey.started": {
    /** the widget's own id */
    widget: string;
    /** the live chat's id */
    chat: string;
  };
  /** The survey is sent. */
  "survey.submitted": {
    /** the widget's own id */
    widget: string;
    /** the live chat's id */
    chat: string;
  };
  /** A document is opened. */
  "document.opened": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the card that asked */
    card: string;
    /** the document's name */
    document: string;
  };
  /** A document is downloaded. */
  "document.downloaded": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the card that asked */
    card: string;
    /** the document's name */
    document: string;
  };
  /** The visitor reaches a goal of the conversation. */
  "goal.reached": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the card that asked */
    card: string;
    /** the goal's name */
    goal: string;
  };
  /** The visitor asks to be called. */
  "callback.requested": {
    /** the widget's own id */
    widget: string;
    /** the call back's id */
    callback: string;
    /** the kind of contact it offers */
    kind: "Chat" | "CallbackNow" | "CallbackLater" | "ClickToCall";
  };
  /** The call was made. */
  "callback.completed": {
    /** the widget's own id */
    widget: string;
    /** the call back's id */
    callback: string;
    /** the kind of contact it offers */
    kind: "Chat" | "CallbackNow" | "CallbackLater" | "ClickToCall";
    /** the agent's name */
    agentName: string | null;
    /** the agent's id */
    agentID: string | null;
    /** what came of the call */
    outcome: "reached" | "not_reached" | "wrong_number";
  };
  /** Nobody is available, and the visitor is shown what is possible instead. */
  "fallback.shown": {
    /** the conversation's name */
    name: string;
    /** what the conversation is */
    type: "dialogue" | "conversationFlow";
    /** how the conversation is shown */
    uiType: "popup" | "chatbot" | "inline";
    /** the card that asked */
    card: string;
  };
}

/** The names under `AdobeDX.Enum.Events`. */
export type AdobeEventName =
  | "CONVERSATION_TRIGGERED"
  | "CONVERSATION_ENGAGED"
  | "CONVERSATION_COMPLETED"
  | "CONVERSATION_CLOSED"
  | "CONVERSATION_INPUT_PHONE"
  | "CONVERSATION_INPUT_EMAIL"
  | "CONVERSATION_MEETING_BOOKED"
  | "CONVERSATION_LIVE_CHAT_REQUESTED"
  | "CONVERSATION_LIVE_CHAT_INITIATED"
  | "CONVERSATION_LIVE_CHAT_ENDED"
  | "CONVERSATION_LIVE_CHAT_REQUEST_TIMEOUT";

/** The types of CTLive messages. */
export type CTLiveEventType =
  | "Loaded"
  | "WidgetShown"
  | "WidgetHidden"
  | "WidgetClicked"
  | "ChatStarted"
  | "ChatOnline"
  | "ChatFinished"
  | "DatacollectionStarted"
  | "DatacollectionSubmitted"
  | "SurveyStarted"
  | "SurveySubmitted";
