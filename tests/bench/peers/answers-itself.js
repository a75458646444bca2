// Answers 200 without an upstream: what workerd itself costs.

export default {
  fetch() {
    return new Response("ok");
  },
};
