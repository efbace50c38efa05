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
