// The module that the host starts with. A request for which everything is at hand is answered by one
// call into the instance; any other goes the whole way. No rule is here: both ways are Rust's.

import Worker from "./index.js";

// Not through an object of `Worker`, whose proxies cost as much as a decision.
const { answer_at_once: answerAtOnce } = Worker.prototype;

export default {
  /**
   * @param {Request} request
   * @param {object} env
   * @param {ExecutionContext} context
   * @returns {Response | Promise<Response>}
   */
  fetch(request, env, context) {
    let answer;
    try {
      answer = answerAtOnce(request);
    } catch (trap) {
      // So that whoever else waits for the instance is answered (`guard.js`), and the proxies start a
      // new one. Not a second try: the upstream may have the request.
      reportError(trap);
      return new Worker(context, env).unavailable();
    }
    return answer ?? new Worker(context, env).fetch(request);
  },
};
