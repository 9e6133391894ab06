import { tell } from "./checks.mjs"; addEventListener("message", (e) => { if (e.data === "early") tell("http://cdn.test/module.mjs"); });
