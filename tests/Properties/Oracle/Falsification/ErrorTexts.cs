namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>The texts that strace prints behind the names of errors (strerror(3)).</summary>
internal static class ErrorTexts
{
    private static readonly Dictionary<string, string> _texts = new()
    {
        ["EPERM"] = "Operation not permitted",
        ["ENOENT"] = "No such file or directory",
        ["ENOMEM"] = "Cannot allocate memory",
        ["EACCES"] = "Permission denied",
        ["EEXIST"] = "File exists",
        ["EINVAL"] = "Invalid argument",
        ["ENOSPC"] = "No space left on device",
        ["EIDRM"] = "Identifier removed",
    };

    /// <summary>The text of an error.</summary>
    public static string Of(string name) => _texts[name];
}
