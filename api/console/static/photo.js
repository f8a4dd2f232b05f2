// A photo is made smaller before it is sent, so that little is lost when the connection breaks: at most 300 KB, or what
// the field asks for (`data-most`). Without this script, or when it fails, the file is sent as it is, and the server makes
// the photo smaller.
"use strict";

const MOST = 300_000;
// Pixels of the longer side, and quality: the first whose result fits is sent.
const TRIES = [[1600, 0.8], [1600, 0.6], [1280, 0.7], [1280, 0.5], [1024, 0.5], [800, 0.4]];

async function smaller(file, most) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const canvas = document.createElement("canvas");
  let made = file;
  for (const [side, quality] of TRIES) {
    const blob = await encoded(picture, canvas, side, quality);
    if (blob && blob.size < made.size) made = blob;
    if (made.size <= most) break;
  }
  picture.close();
  return made === file ? file : new File([made], "photo.jpg", { type: "image/jpeg" });
}

function encoded(picture, canvas, side, quality) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const ground = canvas.getContext("2d");
  ground.imageSmoothingQuality = "high";
  ground.fillStyle = "white";
  ground.fillRect(0, 0, canvas.width, canvas.height);
  ground.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
}

for (const input of document.querySelectorAll("input[type=file][name=photo]")) {
  const buttons = input.form.querySelectorAll("button");
  const most = Number(input.dataset.most) || MOST;
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file || file.size <= most) return;
    for (const button of buttons) button.disabled = true;
    try {
      const made = await smaller(file, most);
      if (made !== file && input.files[0] === file) {
        const files = new DataTransfer();
        files.items.add(made);
        input.files = files.files;
      }
    } catch {
      // The browser cannot read the picture; perhaps the server can.
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  });
}
