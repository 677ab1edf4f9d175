/** Masking against a loop over bytes. */
import { copyMasked, maskRange, seenBits } from "../../codec/mask.ts";
import { maskInPlace } from "../../tests/harness/frame.ts";
import { benchPair, SIZES } from "./pair.ts";
import { KEY, KEY_WORD, makePayload } from "./payload.ts";

for (const size of SIZES) {
  const ours = makePayload("binary", size);
  const theirs = makePayload("binary", size);
  benchPair(`mask in place, ${size} bytes`, {
    sockeye() {
      maskRange(ours, 0, size, KEY_WORD);
      return ours;
    },
    plain() {
      maskInPlace(theirs, KEY);
      return theirs;
    },
  });
}

for (const size of SIZES) {
  const ours = makePayload("binary", size);
  const theirs = makePayload("binary", size);
  const ourCopy = new Uint8Array(size);
  const theirCopy = new Uint8Array(size);
  benchPair(`copy and mask, ${size} bytes`, {
    sockeye() {
      copyMasked(ours, 0, size, ourCopy, 0, KEY_WORD);
      return ourCopy;
    },
    plain() {
      theirCopy.set(theirs);
      maskInPlace(theirCopy, KEY);
      return theirCopy;
    },
  });
}

function isAscii(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) {
    if (bytes[index]! >= 0x80) return false;
  }
  return true;
}

for (const size of SIZES) {
  const bytes = makePayload("ASCII", size);
  benchPair(`tell ASCII, ${size} bytes`, {
    sockeye: () => (seenBits(bytes, 0, size) & 0x80) === 0,
    plain: () => isAscii(bytes),
  });
}
