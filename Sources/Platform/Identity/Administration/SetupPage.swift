import HTTPTypes
import MartletCore
public import MartletHTTP
import Synchronization

/// `/setup`: where the first administrator is made. Once there is one, there is no such page.
public struct SetupPage: Sendable {
    private let identity: IdentityService
    private let isClaimed = Claimed()

    public init(_ identity: IdentityService) { self.identity = identity }

    /// They belong to no API.
    public var routes: [Route] {
        [
            page("/setup", Self.html, type: "text/html; charset=utf-8"),
            page("/setup/setup.css", Self.style, type: "text/css; charset=utf-8"),
            page("/setup/setup.js", Self.script, type: "application/javascript; charset=utf-8"),
        ]
    }

    private func page(_ path: String, _ text: String, type: String) -> Route {
        Route(page: path) { _ in
            guard try await isOpen else { throw Failure.notFound("no_such_path", "There is nothing at this path.") }
            return Answer(
                .ok, Array(text.utf8), type: type, fields: [.contentSecurityPolicy: Self.policy, .cacheControl: "no-store"])
        }
    }

    /// Once there is an administrator there always is: from then on nothing is asked of the database.
    private var isOpen: Bool {
        get async throws {
            if isClaimed.flag.load(ordering: .relaxed) { return false }
            if try await identity.isUnclaimed { return true }
            isClaimed.flag.store(true, ordering: .relaxed)
            return false
        }
    }

    private final class Claimed: Sendable {
        let flag = Atomic<Bool>(false)
    }

    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """
}

// MARK: The files

extension SetupPage {
    private static let html = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Set up Martlet</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="/setup/setup.css">
        </head>
        <body>
        <main>
        <h1>Set up Martlet</h1>
        <p id="story">Create the first account. It may do everything, and appoint others.</p>
        <noscript><p class="trouble">This page needs JavaScript.</p></noscript>
        <form id="form">
        <label for="email">E-mail address</label>
        <input id="email" name="email" type="email" autocomplete="email" required maxlength="254">
        <label for="username">Username</label>
        <input id="username" name="username" autocomplete="username" required minlength="3" maxlength="50" pattern="[a-zA-Z0-9_\\-]+"
          autocapitalize="none" spellcheck="false">
        <label for="name">Name <span>optional</span></label>
        <input id="name" name="name" autocomplete="name" maxlength="120">
        <label for="password">Password <span>at least 8 characters</span></label>
        <input id="password" name="password" type="password" autocomplete="new-password" required minlength="8" maxlength="128">
        <label for="again">Password, once more</label>
        <input id="again" type="password" autocomplete="new-password" required maxlength="128">
        <ul id="troubles" class="trouble" role="alert"></ul>
        <button>Create the administrator</button>
        </form>
        </main>
        <script src="/setup/setup.js"></script>
        </body>
        </html>

        """

    private static let style = """
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
        body { margin: 0; background: light-dark(#f4f5f7, #16181d); color: light-dark(#1c2230, #e8eaf0); }
        main { box-sizing: border-box; max-width: 26rem; margin: 8vh auto; padding: 2rem; border-radius: 12px;
          background: light-dark(#fff, #20242c); box-shadow: 0 1px 12px #0002; }
        h1 { margin: 0 0 .5rem; font-size: 1.5rem; }
        label { display: block; margin-top: 1rem; font-weight: 600; }
        label span { font-weight: 400; opacity: .65; }
        input { box-sizing: border-box; width: 100%; margin-top: .25rem; padding: .55rem .7rem; border: 1px solid #8888; border-radius: 6px;
          background: transparent; color: inherit; font: inherit; }
        button { width: 100%; margin-top: 1.25rem; padding: .7rem; border: 0; border-radius: 6px; background: #2757d6; color: #fff;
          font: inherit; font-weight: 600; cursor: pointer; }
        button:disabled { opacity: .5; cursor: default; }
        .trouble { color: light-dark(#b3261e, #ff8a80); }
        ul.trouble { margin: 1rem 0 0; padding: 0; list-style: none; }

        """

    /// The token stands behind the `#`, which browsers send to no server; it is taken out of the address at once.
    private static let script = """
        "use strict";
        (() => {
          const at = (id) => document.getElementById(id);
          const form = at("form");
          const token = new URLSearchParams(location.hash.slice(1)).get("token");
          history.replaceState(null, "", location.pathname);

          const tell = (sentences) => at("troubles").replaceChildren(...sentences.map((sentence) => {
            const item = document.createElement("li");
            item.textContent = sentence;
            return item;
          }));

          const finish = (sentence) => {
            form.hidden = true;
            at("story").textContent = sentence;
          };

          if (!token) finish("This link has no token. Use the whole link that the server printed when it started.");

          const sentences = (problem) => (problem.errors ?? []).map((fault) => fault.pointer.slice(1) + ": " + fault.message);

          form.addEventListener("submit", async (event) => {
            event.preventDefault();
            if (at("password").value !== at("again").value) return tell(["The two passwords differ."]);
            const input = { token };
            for (const [name, value] of new FormData(form)) if (value !== "") input[name] = value;
            const button = form.querySelector("button");
            button.disabled = true;
            tell([]);
            try {
              const answer = await fetch("/api/v1/setup", {
                method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(input),
              });
              if (answer.ok) return finish("Done: " + input.username + " is the administrator, and can log in.");
              const problem = await answer.json();
              const found = sentences(problem);
              tell(found.length ? found : [problem.detail ?? problem.title]);
            } catch {
              tell(["The server could not be reached: try again."]);
            }
            button.disabled = false;
          });
        })();

        """
}
