// Written by `make generate` from domain/src/event/catalogue.rs; edit that.

/** Lists of fields that the tables below point at: target=source, or one word for both, in the envelope with its data laid over it. */
export const shapes: string[] = [
  "elementID=element widgetID=widget userID=visitor",
  "elementID=element widgetID=widget userID=visitor type=kind",
  "name id=conversation type uiType sid=session",
  "name id=conversation type uiType sid=session agentName agentID meetingInfo",
  "name id=conversation type uiType sid=session agentName agentID",
  "chatID=chat userID=visitor",
  "chatID=chat users",
  "chatID=chat userID=visitor isSurveyConfigured=surveyConfigured",
  "widgetID=widget userID=visitor type=kind",
  "widgetID=widget chatID=chat userID=visitor",
];

/** Adobe: the list of the payload's fields, and the name in Enum.Events without CONVERSATION_ if it is not the type's. */
export const adobe: Record<string, string> = {
  "conversation.triggered": "2",
  "conversation.engaged": "2",
  "conversation.completed": "2",
  "conversation.closed": "2",
  "input.phone": "2",
  "input.email": "2",
  "meeting.booked": "3",
  "livechat.requested": "4",
  "livechat.initiated": "4",
  "livechat.ended": "4",
  "livechat.timeout": "4 LIVE_CHAT_REQUEST_TIMEOUT",
};

/** CTLive: the message's type, the list of its fields, and the field that must be true for it to be told. */
export const ctlive: Record<string, string> = {
  "widget.loaded": "Loaded 0",
  "widget.shown": "WidgetShown 0",
  "widget.hidden": "WidgetHidden 0",
  "widget.clicked": "WidgetClicked 1",
  "livechat.requested": "ChatStarted 5",
  "livechat.initiated": "ChatOnline 6",
  "livechat.ended": "ChatFinished 7",
  "livechat.timeout": "ChatFinished 7 online",
  "datacollection.started": "DatacollectionStarted 8",
  "datacollection.submitted": "DatacollectionSubmitted 8",
  "survey.started": "SurveyStarted 9",
  "survey.submitted": "SurveySubmitted 9",
};
