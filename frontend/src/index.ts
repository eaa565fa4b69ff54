import { announce } from "./announce";

announce();

// Seen in the console of a browser it tells which version is really loaded.
Object.assign(window, { loxoneWallboxCard: __VERSION__ });
