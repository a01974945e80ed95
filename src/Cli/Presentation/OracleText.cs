using ShmCheck.Harness.Oracle;

namespace ShmCheck.Cli.Presentation;

/// <summary>The verdict about a log, for people.</summary>
internal static class OracleText
{
    /// <summary>Prints a verdict.</summary>
    public static void Print(string file, OracleVerdict verdict)
    {
        string name = OracleJson.NameOf(verdict.Verdict);
        Console.WriteLine(verdict.Verdict == LogVerdict.Explained
            ? $"{file}: {name} ({verdict.CallsChecked} calls checked, "
                + $"{verdict.CallsNotModelled} not modelled)"
            : $"{verdict.File ?? file}:{verdict.Line}: {name}: {verdict.Reason}");
        foreach (string assumption in verdict.Assumptions)
        {
            Console.WriteLine($"  assumed: {assumption}");
        }
    }
}
