// As older samples for Adobe Dynamic Chat are written: `addListener` and `Enum` are bare names.
/* global addListener, Enum */
window.addEventListener("adobedx.conversations.ready", function () {
  Object.keys(Enum.Events).forEach(function (name) {
    addListener(Enum.Events[name], function (event) {
      var payload = event.data.payload;
      var item = document.createElement("li");
      item.dataset.name = name;
      item.dataset.sid = payload.sid;
      item.textContent = name + ": " + payload.name + " (" + payload.type + ", " + payload.uiType + ")";
      document.getElementById("heard").append(item);
      document.getElementById("heard-empty").hidden = true;
    });
  });
});
