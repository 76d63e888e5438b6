// A mail's frame is as high as the mail. Without this it is high enough for most, and scrolls.
(() => {
  "use strict";

  const frame = document.querySelector(".mail__design");
  const fit = () => {
    // On the way in, or out, there is no document in it yet.
    const mail = frame.contentDocument?.documentElement;
    if (mail) frame.height = Math.ceil(mail.getBoundingClientRect().height) + 2;
  };

  // Nothing in the frame may run, so the page may look into it. It may be there already.
  frame.addEventListener("load", fit);
  window.addEventListener("resize", fit);
  fit();
})();
