import { plainWriter } from "../../codec/text_writer.ts";
import { testWriter } from "./text_writer_cases.ts";

testWriter("plain", plainWriter);
