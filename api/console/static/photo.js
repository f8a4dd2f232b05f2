// A photo is made smaller before it is sent: 250 KB in place of 4 MB go over a slow connection. Without this script, or
// when it fails, the file is sent as it is, and the server does the same.
"use strict";

const SIDE = 1600;
const QUALITY = 0.8;
const SMALL = 300_000;

async function smaller(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const ground = canvas.getContext("2d");
  ground.fillStyle = "white";
  ground.fillRect(0, 0, canvas.width, canvas.height);
  ground.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  return blob && blob.size < file.size ? new File([blob], "photo.jpg", { type: "image/jpeg" }) : file;
}

for (const input of document.querySelectorAll("input[type=file][name=photo]")) {
  const buttons = input.form.querySelectorAll("button");
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file || file.size <= SMALL) return;
    for (const button of buttons) button.disabled = true;
    try {
      const made = await smaller(file);
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
