import com.itextpdf.text.Rectangle;
import com.itextpdf.text.pdf.PdfReader;
import com.itextpdf.text.pdf.PdfSignatureAppearance;
import com.itextpdf.text.pdf.PdfStamper;
import com.itextpdf.text.pdf.security.BouncyCastleDigest;
import com.itextpdf.text.pdf.security.MakeSignature;
import com.itextpdf.text.pdf.security.PrivateKeySignature;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Calendar;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pdfbox.cos.COSArray;
import org.apache.pdfbox.cos.COSDictionary;
import org.apache.pdfbox.cos.COSInteger;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationWidget;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAppearanceDictionary;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAppearanceStream;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.ExternalSigningSupport;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.SignatureOptions;
import org.apache.pdfbox.pdmodel.interactive.form.PDAcroForm;
import org.apache.pdfbox.pdmodel.interactive.form.PDSignatureField;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.ess.ESSCertIDv2;
import org.bouncycastle.asn1.ess.SigningCertificateV2;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSAttributeTableGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.DefaultSignedAttributeTableGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * The same stamp by the Java libraries that people use: a certifying, visible PAdES B-B signature on the last page.
 *
 * <p>The drawing is handed to them ready (ours includes making the code), keys and certificates are loaded once,
 * and only the processor time of the signing thread is counted, not that of the compiler and the collector.
 */
public final class Peers {
    private static final int RESERVE = 8192;
    private static final float LEFT = 425;
    private static final float BOTTOM = 124;
    private static final float SIDE = 66;

    private final PrivateKey key;
    private final Certificate[] chain;
    private final byte[] drawing;
    private final ContentSigner signer;
    private final JcaCertStore certificates;

    private interface Contender {
        byte[] stamp(byte[] document, int number) throws Exception;
    }

    private Peers(Path p12, char[] password, byte[] drawing) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(p12)) {
            store.load(in, password);
        }
        String alias = store.aliases().nextElement();
        key = (PrivateKey) store.getKey(alias, password);
        chain = store.getCertificateChain(alias);
        this.drawing = drawing;
        String algorithm = key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
        signer = new JcaContentSignerBuilder(algorithm).build(key);
        certificates = new JcaCertStore(Arrays.asList(chain));
    }

    /** folder of documents, PKCS #12 file, password, drawing, folder for one output each, documents to warm up, rounds. */
    public static void main(String[] arguments) throws Exception {
        List<byte[]> papers = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of(arguments[0]))) {
            for (Path file : files.sorted().collect(Collectors.toList())) {
                papers.add(Files.readAllBytes(file));
            }
        }
        byte[] drawing = Files.readAllBytes(Path.of(arguments[3]));
        Peers peers = new Peers(Path.of(arguments[1]), arguments[2].toCharArray(), drawing);
        int warm = Integer.parseInt(arguments[5]);
        int rounds = Integer.parseInt(arguments[6]);
        double box = measured(peers::byPdfBox, papers, warm, rounds, Path.of(arguments[4], "pdfbox.pdf"));
        double text = measured(peers::byIText, papers, warm, rounds, Path.of(arguments[4], "itext.pdf"));
        System.out.printf(
                java.util.Locale.ROOT, "{\"pdfbox_ms\": %.4f, \"itext_ms\": %.4f, \"warm_up\": %d}%n", box, text, warm);
    }

    private static double measured(Contender contender, List<byte[]> papers, int warm, int rounds, Path kept)
            throws Exception {
        ThreadMXBean clock = ManagementFactory.getThreadMXBean();
        int number = 0;
        for (; number < warm; number++) {
            contender.stamp(papers.get(number % papers.size()), number);
        }
        List<Long> spent = new ArrayList<>();
        byte[] last = null;
        for (int turn = 0; turn < rounds; turn++) {
            for (byte[] paper : papers) {
                long began = clock.getCurrentThreadCpuTime();
                last = contender.stamp(paper, number++);
                spent.add(clock.getCurrentThreadCpuTime() - began);
            }
        }
        Files.write(kept, last);
        spent.sort(null);
        return spent.get(spent.size() / 2) / 1e6;
    }

    private byte[] byIText(byte[] document, int number) throws Exception {
        PdfReader reader = new PdfReader(document);
        ByteArrayOutputStream out = new ByteArrayOutputStream(document.length + 4 * RESERVE);
        PdfStamper stamper = PdfStamper.createSignature(reader, out, '\0', null, true);
        PdfSignatureAppearance look = stamper.getSignatureAppearance();
        look.setVisibleSignature(
                new Rectangle(LEFT, BOTTOM, LEFT + SIDE, BOTTOM + SIDE), reader.getNumberOfPages(), "Meterai-" + number);
        look.setCertificationLevel(PdfSignatureAppearance.CERTIFIED_NO_CHANGES_ALLOWED);
        look.getLayer(2).setLiteral(new String(drawing, java.nio.charset.StandardCharsets.ISO_8859_1));
        PrivateKeySignature sign = new PrivateKeySignature(key, "SHA256", null);
        MakeSignature.signDetached(
                look, new BouncyCastleDigest(), sign, chain, null, null, null, RESERVE,
                MakeSignature.CryptoStandard.CADES);
        return out.toByteArray();
    }

    private byte[] byPdfBox(byte[] document, int number) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream(document.length + 4 * RESERVE);
        try (PDDocument opened = PDDocument.load(document); SignatureOptions options = new SignatureOptions()) {
            PDSignature signature = new PDSignature();
            signature.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
            signature.setSubFilter(COSName.getPDFName("ETSI.CAdES.detached"));
            signature.setSignDate(Calendar.getInstance());
            certify(opened, signature);
            place(opened, signature, number);
            options.setPreferredSignatureSize(RESERVE);
            opened.addSignature(signature, options);
            ExternalSigningSupport waiting = opened.saveIncrementalForExternalSigning(out);
            waiting.setSignature(seal(waiting.getContent()));
        }
        return out.toByteArray();
    }

    private static void certify(PDDocument document, PDSignature signature) {
        COSDictionary parameters = new COSDictionary();
        parameters.setItem(COSName.TYPE, COSName.getPDFName("TransformParams"));
        parameters.setItem(COSName.P, COSInteger.ONE);
        parameters.setName(COSName.V, "1.2");
        COSDictionary reference = new COSDictionary();
        reference.setItem(COSName.TYPE, COSName.getPDFName("SigRef"));
        reference.setItem(COSName.getPDFName("TransformMethod"), COSName.getPDFName("DocMDP"));
        reference.setItem(COSName.getPDFName("TransformParams"), parameters);
        COSArray references = new COSArray();
        references.add(reference);
        signature.getCOSObject().setItem(COSName.getPDFName("Reference"), references);
        COSDictionary permissions = new COSDictionary();
        permissions.setItem(COSName.getPDFName("DocMDP"), signature);
        COSDictionary catalogue = document.getDocumentCatalog().getCOSObject();
        catalogue.setItem(COSName.getPDFName("Perms"), permissions);
        catalogue.setNeedToBeUpdated(true);
    }

    private void place(PDDocument document, PDSignature signature, int number) throws IOException {
        PDAcroForm form = document.getDocumentCatalog().getAcroForm();
        if (form == null) {
            form = new PDAcroForm(document);
            document.getDocumentCatalog().setAcroForm(form);
        }
        form.setSignaturesExist(true);
        form.setAppendOnly(true);
        form.getCOSObject().setDirect(true);
        PDPage page = document.getPage(document.getNumberOfPages() - 1);
        PDSignatureField field = new PDSignatureField(form);
        field.setPartialName("Meterai-" + number);
        field.setValue(signature);
        PDAnnotationWidget widget = field.getWidgets().get(0);
        widget.setRectangle(new PDRectangle(LEFT, BOTTOM, SIDE, SIDE));
        widget.setPage(page);
        widget.setPrinted(true);
        PDAppearanceStream look = new PDAppearanceStream(document);
        look.setBBox(new PDRectangle(SIDE, SIDE));
        try (OutputStream stream = look.getCOSObject().createRawOutputStream()) {
            stream.write(drawing);
        }
        PDAppearanceDictionary looks = new PDAppearanceDictionary();
        looks.setNormalAppearance(look);
        widget.setAppearance(looks);
        page.getAnnotations().add(widget);
        page.getCOSObject().setNeedToBeUpdated(true);
        form.getFields().add(field);
    }

    private byte[] seal(InputStream content) throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(chain[0].getEncoded());
        Attribute bound = new Attribute(
                PKCSObjectIdentifiers.id_aa_signingCertificateV2,
                new DERSet(new SigningCertificateV2(new ESSCertIDv2[] {new ESSCertIDv2(digest)})));
        ASN1EncodableVector attributes = new ASN1EncodableVector();
        attributes.add(bound);
        CMSAttributeTableGenerator table =
                new DefaultSignedAttributeTableGenerator(new AttributeTable(attributes));
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(
                new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().build())
                        .setSignedAttributeGenerator(table)
                        .build(signer, (X509Certificate) chain[0]));
        generator.addCertificates(certificates);
        return generator.generate(new CMSProcessableByteArray(content.readAllBytes()), false).getEncoded();
    }
}
