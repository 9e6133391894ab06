import a, {b} from "./a.mjs"; export * from '/b.mjs'; import "bare"; import("https://cdn.test/c.mjs"); const s = "import './not.mjs'";
