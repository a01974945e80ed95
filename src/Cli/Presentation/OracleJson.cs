using ShmCheck.Harness.Oracle;

namespace ShmCheck.Cli.Presentation;

/// <summary>One log of <c>oracle --json</c>.</summary>
internal sealed record OracleJson(
    string File, string Verdict, int Line, int CallsChecked, int CallsNotModelled, string Reason,
    IReadOnlyList<string> Assumptions)
{
    public const string Explained = "explained";
    public const string Unexplained = "unexplained";
    public const string Unreadable = "unreadable";

    public static OracleJson Of(string file, OracleVerdict verdict) => new(
        file, NameOf(verdict.Verdict), verdict.Line, verdict.CallsChecked,
        verdict.CallsNotModelled, verdict.Reason, verdict.Assumptions);

    /// <summary>The name of a verdict.</summary>
    public static string NameOf(LogVerdict verdict) => verdict switch
    {
        LogVerdict.Explained => Explained,
        LogVerdict.Unexplained => Unexplained,
        LogVerdict.Unreadable => Unreadable,
        _ => throw new ArgumentOutOfRangeException(nameof(verdict)),
    };
}
