// The ceiling: lets everything through.

import { forward } from "./forward.js";

export default {
  fetch(request, env) {
    return forward(request, env);
  },
};
