using System.Diagnostics;

namespace ShmCheck.Bench;

/// <summary>The machine's own C compiler.</summary>
internal static class CCompiler
{
    /// <summary>Its version, as it says it.</summary>
    public static string Version => Output("--version").Split('\n')[0];

    /// <summary>Compiles.</summary>
    /// <exception cref="InvalidDataException">There is no <c>cc</c>, or it fails.</exception>
    public static void Run(params string[] arguments) => Output(arguments);

    private static string Output(params string[] arguments)
    {
        var start = new ProcessStartInfo("cc", arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        try
        {
            using Process cc = Process.Start(start)!;
            string output = cc.StandardOutput.ReadToEnd();
            string errors = cc.StandardError.ReadToEnd();
            cc.WaitForExit();
            return cc.ExitCode == 0 ? output
                : throw new InvalidDataException($"cc {string.Join(' ', arguments)}: {errors}");
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new InvalidDataException(
                $"the C compiler cc is needed (Debian: gcc, libc6-dev): {missing.Message}");
        }
    }
}
