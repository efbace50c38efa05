extension Settings {
    /// `docs/configuration.md`: every setting, in a table for each group. The same on every machine.
    public static func document() -> String {
        ([introduction] + groups.map { title, settings in table(title, settings) }).joined(separator: "\n\n") + "\n"
    }

    /// `.env.example`: every setting with its default, commented out, so that a copy of it changes nothing.
    public static func exampleEnvironment() -> String {
        let sections = groups.map { title, settings in
            (["## \(title)"] + settings.map(exampleLines)).joined(separator: "\n\n")
        }
        return ([exampleIntroduction] + sections).joined(separator: "\n\n") + "\n"
    }

    private static let introduction = """
        # Configuration

        <!-- Generated from the declarations in Sources/Platform/Settings/Declarations.swift; a test compares them. -->

        Each setting is looked up in these places, and the first that has it counts:

        1. a flag: `--port 9000` or `--port=9000`; a boolean may stand alone, as in `--debug`;
        2. the environment: `PORT=9000`;
        3. the file `.env` in the working folder: lines `PORT=9000`, with comments, quotes and `export`; nothing is expanded;
        4. the JSON or YAML file that `MARTLET_CONFIG` or `--config` names: `port: 9000`, names in lower case;
        5. the default.

        An empty value counts as not set. Durations are written `30`, `30s`, `500ms`, `2m` or `1h`; sizes `1048576`, `512KiB` or `10MB`;
        booleans `true` or `false` (also `1`, `0`, `yes`, `no`, `on`, `off`). Relative paths start from the working folder.

        All faults are reported at once, and the server does not start with any; `martlet check` reports them without starting it. Unknown
        flags, unknown keys of a file and unknown names that begin with `MARTLET_` are faults too. Set secrets in the environment or in a
        file rather than by flags: other users of the machine can see a program's flags.

        Outside development and test, secrets must be set, have at least 32 bytes, and not be known from examples. In development and
        test, missing ones are made up and kept in `var/secrets`, readable only by you. `ENVIRONMENT=production` also refuses
        `DEBUG=true`, `MARTLET_TEST_ROUTES=true` and `CORS_ORIGINS=*`.
        """

    private static let exampleIntroduction = """
        # Copy this file to .env and uncomment what you change. docs/configuration.md explains the formats.
        # Generated from the declarations of the settings; a test compares them.
        """

    private static var groups: [(title: String, settings: [Declared])] {
        declaration.reduce(into: []) { groups, setting in
            if groups.last?.title == setting.group {
                groups[groups.count - 1].settings.append(setting)
            } else {
                groups.append((setting.group, [setting]))
            }
        }
    }

    private static func table(_ title: String, _ settings: [Declared]) -> String {
        let columns = ["| Variable | Flag | Type | Default | What it does |", "| --- | --- | --- | --- | --- |"]
        return (["## \(title)", ""] + columns + settings.map(row)).joined(separator: "\n")
    }

    private static func row(_ setting: Declared) -> String {
        let cells = ["`\(setting.name)`", "`\(setting.flag)`", setting.type, defaultCell(setting), setting.description]
        return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }

    /// A default that is a value stands in code; one in words does not.
    private static func defaultCell(_ setting: Declared) -> String {
        if setting.default.isEmpty { return "–" }
        return setting.default.contains(" ") ? setting.default : "`\(setting.default)`"
    }

    private static func exampleLines(_ setting: Declared) -> String {
        let isValue = !setting.default.contains(" ")
        let type = setting.type.replacing("`", with: "")
        let note = isValue ? "(\(type))" : "(\(type); default: \(setting.default))"
        return "# \(setting.description.replacing("`", with: "")) \(note)\n# \(setting.name)=\(isValue ? setting.default : "")"
    }
}
