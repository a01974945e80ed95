namespace VerifyTests;

/// <summary>A comparison that went well.</summary>
public class VerifyResult
{
    private readonly string _path;

    internal VerifyResult(string path) => _path = path;

    /// <summary>The snapshots compared with.</summary>
    public IEnumerable<string> Files => [_path];

    /// <summary>Those of them that are text.</summary>
    public IEnumerable<string> TextFiles => [_path];

    /// <summary>The text of the snapshot.</summary>
    public string Text => File.ReadAllText(_path);
}
