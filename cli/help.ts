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
text message, what comes is printed. Ctrl-D or Ctrl-C closes. At the prompt a
line that begins with a slash is a command: /help lists them, and //text sends
"/text".

What is said to the server:
  -H, --header "NAME: VALUE"  Send a header; may be given again; @FILE has one
                              on each line
  -s, --subprotocol NAME      Offer a subprotocol; may be given again
      --require-subprotocol   Fail if the server chooses none
      --origin ORIGIN         Send an Origin
      --auth USER:PASSWORD    Send Basic credentials, and answer Digest; @FILE
                              has them
      --compress              Offer compression
      --max-redirects COUNT   Follow so many redirects (0)

TLS:
      --ca FILE               Trust this certificate authority, in PEM; may be
                              given again
      --cert FILE, --key FILE Show this certificate, in PEM
      --server-name NAME      Ask for this name, and check it
      --insecure              Do not check the server's certificate

The way there:
      --proxy URL             Go through a proxy, http: or socks5:; "env" takes
                              it from HTTPS_PROXY and the like
      --connect-to HOST:PORT  Connect there, whatever the URL says; one of them
                              may be left out
      --unix PATH             Connect to a Unix socket

How long:
      --timeout SECONDS       Wait so long for the connection, and with --once
                              for the message (10)
      --ping SECONDS          Ping after so much silence; 0 never (20)
      --wait SECONDS          Stay so long behind the end of the input (0)
      --once                  Print one message, and close
      --reconnect             Connect again whenever the connection is gone

In and out:
  -x, --send TEXT             Send this first; may be given again
  -n, --no-input              Read nothing; print until the server closes
      --commands              Take commands from a pipe, too
      --no-history            Do not keep lines for the next time
      --binary-dir DIR        Write binary messages to files in DIR
      --raw                   Messages to a pipe or file as they are
      --frames                Print each frame: direction, opcode, length
      --json                  Print one JSON object per line and event

serve: echoes on every path, and serves the files of DIR.

  -p, --port PORT             Listen there (8080); 0 takes a free port
      --hostname NAME         Listen there (127.0.0.1)
      --echo                  Send each message back (the default)
      --broadcast             Send each message to everybody
      --origin ORIGIN         Let pages of this origin in, too; "*" for all;
                              may be given again
      --cert FILE, --key FILE Speak TLS, with this certificate

bench: sends text messages to a server that echoes, and measures.

  -c, --connections COUNT     Connections (10)
      --in-flight COUNT       Messages under way on each (1)
      --size BYTES            Length of a message (64)
      --duration SECONDS      How long (5)
      --timeout, --json, and all on the server, TLS and the way there
                              As above

  -h, --help                  Print this
      --version               Print the version

Exit codes: 0; 1 where no connection could be opened, one ended in another way
than by a close with 1000, 1001 or no code, or what is printed could not be
written; 2 for arguments that make no sense. Colours only on a terminal, and
never where NO_COLOR is set.
`;
