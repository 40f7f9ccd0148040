// Written by `make generate` from domain/src/event/catalogue.rs; edit that.

/** Adobe's payload fields of every event: target=source, or one word for both, in the envelope with its data laid over it. */
export const usual = "name id=conversation type uiType sid=session";

/** Lists of such fields that the tables below point at. */
export const shapes: string[] = [
  "elementID=element widgetID=widget userID=visitor",
  "elementID=element widgetID=widget userID=visitor type=kind",
  "agentName agentID meetingInfo",
  "agentName agentID",
  "chatID=chat userID=visitor",
  "chatID=chat users",
  "chatID=chat userID=visitor isSurveyConfigured=surveyConfigured",
  "widgetID=widget userID=visitor type=kind",
  "widgetID=widget chatID=chat userID=visitor",
];

/** Adobe: the name in Enum.Events without CONVERSATION_, and the list of its further fields. */
export const adobe: Record<string, string> = {
  "conversation.triggered": "TRIGGERED",
  "conversation.engaged": "ENGAGED",
  "conversation.completed": "COMPLETED",
  "conversation.closed": "CLOSED",
  "input.phone": "INPUT_PHONE",
  "input.email": "INPUT_EMAIL",
  "meeting.booked": "MEETING_BOOKED 2",
  "livechat.requested": "LIVE_CHAT_REQUESTED 3",
  "livechat.initiated": "LIVE_CHAT_INITIATED 3",
  "livechat.ended": "LIVE_CHAT_ENDED 3",
  "livechat.timeout": "LIVE_CHAT_REQUEST_TIMEOUT 3",
};

/** CTLive: the message's type, the list of its fields, and the field that must be true for it to be told. */
export const ctlive: Record<string, string> = {
  "widget.loaded": "Loaded 0",
  "widget.shown": "WidgetShown 0",
  "widget.hidden": "WidgetHidden 0",
  "widget.clicked": "WidgetClicked 1",
  "livechat.requested": "ChatStarted 4",
  "livechat.initiated": "ChatOnline 5",
  "livechat.ended": "ChatFinished 6",
  "livechat.timeout": "ChatFinished 6 online",
  "datacollection.started": "DatacollectionStarted 7",
  "datacollection.submitted": "DatacollectionSubmitted 7",
  "survey.started": "SurveyStarted 8",
  "survey.submitted": "SurveySubmitted 8",
};
