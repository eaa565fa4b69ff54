"use strict";
// Drives Loxone's own client against a Miniserver and prints what it saw as JSON.
// Usage: node stranger.js '{"host": "127.0.0.1:8080", "user": "...", ...}'

const plan = JSON.parse(process.argv[2]);
const report = { events: {}, tables: {}, log: [] };

// The client prints a lot; standard output belongs to the report.
for (const name of ["log", "info", "warn", "error"]) {
  console[name] = (...words) => report.log.push(words.map(String).join(" "));
}

const LxCommunicator = require("lxcommunicator");
const { WebSocketConfig } = LxCommunicator;

const config = new WebSocketConfig(
  WebSocketConfig.protocol.WS,
  plan.client || "098802e1-02b4-603c-ffffeee000d80cfd",
  "A stranger's test",
  WebSocketConfig.permission.APP,
  false,
);

config.delegate = {
  socketOnTokenReceived: (_socket, token) => { report.received = token; },
  socketOnTokenConfirmed: (_socket, token) => { report.confirmed = token; },
  socketOnTokenRefresh: (_socket, token) => { report.refreshed = token; },
  socketOnConnectionClosed: (_socket, code) => { report.closed = code; },
  socketOnEventReceived: (_socket, events, type) => {
    report.tables[type] = (report.tables[type] || 0) + 1;
    for (const event of events) {
      report.events[event.uuid] = "text" in event ? event.text
        : "value" in event ? event.value : event;
    }
  },
};

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function finish(code) {
  // The client hangs its timers onto the tokens.
  const text = JSON.stringify(report, (key, value) => (key === "timeouts" ? undefined : value));
  process.stdout.write(text, () => process.exit(code));
}

async function run() {
  const socket = new LxCommunicator.WebSocket(config);
  try {
    await socket.open(plan.host, plan.user, plan.password, plan.token);
  } catch (error) {
    // Either the client's own words or an answer of HTTP.
    report.refused = error.response
      ? { status: error.response.status, page: error.response.data }
      : error;
    return;
  }
  const answer = await socket.send("data/LoxAPP3.json");
  const structure = typeof answer === "string" ? JSON.parse(answer) : answer;
  report.lastModified = structure.lastModified;
  report.controls = Object.values(structure.controls)
    .map((control) => ({ name: control.name, type: control.type, uuid: control.uuidAction }));
  report.version = (await socket.send("jdev/sps/LoxAPPversion3")).LL.value;
  report.enabled = (await socket.send("jdev/sps/enablebinstatusupdate")).LL;
  await pause(300);
  for (const command of plan.commands || []) {
    try {
      (report.answers = report.answers || []).push((await socket.send(command)).LL);
    } catch (error) {
      (report.answers = report.answers || []).push(error.LL || String(error));
    }
  }
  await pause(plan.listen || 500);
  socket.close();
}

setTimeout(() => { report.late = true; finish(3); }, 25000).unref();
run().then(() => finish(0), (error) => { report.failed = String(error.stack || error); finish(2); });
