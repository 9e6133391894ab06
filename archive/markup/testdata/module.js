import def, { a as b } from './dep.js';
import "/side-effect.js";
export * from "../all.js";
import bare from "react";
// import "./comment.js"
const s = "import './string.js'", r = /import ".\/regexp.js"/;
const t = `import './template.js' ${await import(`./in-template.js`)}`;
if (s) /["']/.test(s);
const lazy = () => import("https://cdn.example/lazy.js");
