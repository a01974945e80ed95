using Spectre.Console;

namespace ShmCheck.Cli.Presentation;

/// <summary>Standard output and standard error as consoles: plain and unbroken lines when they
/// go to a file or a pipe.</summary>
internal static class Terminal
{
    /// <summary>Wider than any line that is printed.</summary>
    private const int Unbroken = 100_000;

    public static IAnsiConsole Out => Create(Console.Out, Console.IsOutputRedirected);

    public static IAnsiConsole Error => Create(Console.Error, Console.IsErrorRedirected);

    private static IAnsiConsole Create(TextWriter writer, bool redirected)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = redirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = redirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (redirected)
        {
            console.Profile.Width = Unbroken;
        }

        return console;
    }
}
