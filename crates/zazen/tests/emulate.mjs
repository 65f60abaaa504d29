// Starts `emulate` as GitHub for one test: the seed comes in as one line of JSON, and one line
// says where it listens and which key it made for the App. It ends when its input does.
import { Server } from "node:net";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

// `emulate` does not tell the port it was given.
let port;
const { listen } = Server.prototype;
Server.prototype.listen = function (...given) {
    this.once("listening", () => { port = this.address().port; });
    return listen.apply(this, given);
};

const { createEmulator } = await import(pathToFileURL(process.argv[2]));
const input = createInterface({ input: process.stdin });
input.on("close", () => process.exit(0));
const line = await new Promise((resolve) => input.once("line", resolve));
const { baseUrl, seed } = JSON.parse(line);
const { generatedSecrets } = await createEmulator({
    service: "github", port: 0, hostname: "127.0.0.1", baseUrl, seed,
});
console.log(JSON.stringify({ port, secrets: generatedSecrets }));
