extension Kind where Value == [Secret] {
    static var secrets: Kind {
        Kind("secrets, separated by commas", expected: "secrets without commas in them, separated by commas", write: { _ in "" }) { text in
            let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmed }
            return parts.allSatisfy { !$0.isEmpty } ? parts.map { Secret($0) } : nil
        }
    }
}

extension Kind where Value == [String] {
    /// Files that can be read now, in their order; the values are absolute.
    static var readableFiles: Kind {
        Kind("paths of files, separated by commas", write: { $0.joined(separator: ",") }) { (text, folder) throws(Refusal) in
            var paths: [String] = []
            for part in text.split(separator: ",") { paths.append(try Kind<String>.readableFile.parse(part.trimmed, folder)) }
            guard Set(paths).count == paths.count else { throw Refusal(repair: "Name each file once.") }
            return paths
        }
    }
}

extension Kind where Value == Set<String> {
    /// Names of roles: lower-case letters, digits and `_`.
    static var roleNames: Kind {
        Kind(
            "names of roles, separated by commas", expected: "names of lower-case letters, digits and _, separated by commas",
            write: { $0.sorted().joined(separator: ",") }
        ) { text in
            let names = text.split(separator: ",").map { $0.trimmed }
            return names.allSatisfy { $0.wholeMatch(of: /[a-z][a-z0-9_]{1,39}/) != nil } ? Set(names) : nil
        }
    }
}
