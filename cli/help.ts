/**
 * What `--help` and `--version` print.
 *
 * @module
 */

/** Version of the package, as `deno.json` has it. */
export const VERSION = "0.1.0";

/** The whole help. */
export const HELP = `Usage: sockeye [OPTIONS] URL
       sockeye serve [OPTIONS] [DIR]
       sockeye bench [OPTIONS] URL

Talks to a WebSocket server: each line that is typed or piped in is sent as a
text message, what comes is printed. Ctrl-D or Ctrl-C closes.

  -H, --header "NAME: VALUE"  Send a header; may be given again
  -s, --subprotocol NAME      Offer a subprotocol; may be given again
      --origin ORIGIN         Send an Origin
      --auth USER:PASSWORD    Send Basic credentials, and answer Digest
      --ca FILE               Trust this certificate authority, in PEM
      --insecure              Do not check the server's certificate
      --proxy URL             Go through a proxy, http: or socks5:; "env" takes
                              it from HTTPS_PROXY and the like
      --unix PATH             Connect to a Unix socket
      --compress              Offer compression
      --ping SECONDS          Ping after so much silence; 0 never (20)
      --timeout SECONDS       Wait so long for the connection, and with --once
                              for the message (10)
      --once                  Print one message, and close
      --reconnect             Connect again whenever the connection is gone
  -n, --no-input              Send nothing; print until the server closes
      --binary-dir DIR        Write binary messages to files in DIR
      --frames                Print each frame: direction, opcode, length
      --json                  Print one JSON object per line and event

serve: echoes on every path, and serves the files of DIR.

  -p, --port PORT             Listen there (8080); 0 takes a free port
      --hostname NAME         Listen there (127.0.0.1)
      --echo                  Send each message back (the default)
      --broadcast             Send each message to everybody
      --origin ORIGIN         Let pages of this origin in, too; "*" for all;
                              may be given again

bench: sends text messages to a server that echoes, and measures.

  -c, --connections COUNT     Connections (10)
      --in-flight COUNT       Messages under way on each (1)
      --size BYTES            Length of a message (64)
      --duration SECONDS      How long (5)
      --header, --subprotocol, --origin, --auth, --ca, --insecure, --proxy,
      --unix, --compress, --timeout, --json
                              As above

  -h, --help                  Print this
      --version               Print the version

Exit codes: 0; 1 where no connection could be opened, or one ended in another
way than by a close with 1000, 1001 or no code; 2 for arguments that make no
sense. Colours only on a terminal, and never where NO_COLOR is set.
`;
