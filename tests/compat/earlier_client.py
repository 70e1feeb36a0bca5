"""The calls of a client of the API's earlier dialect, as its documentation prints them; only the base address is a
variable, and addresses and brackets that the documentation lost are filled in.

Loaded afresh for each person, because it keeps its sign-in in globals.
"""

# ruff: noqa: PLW0602, PLW0603, PTH122, PTH123, SIM115, UP015, UP031, F841, RET503, RET504, RUF059
import json
from os import path

import requests

from tests.backend.per_pixel_crypto import Crypto

BASE = ""
access_token = ""
userId = ""
userName = ""
publicKey = ""


def login(username, password):
    # global cookie
    global access_token
    global userId
    login_g = requests.get(f"{BASE}/login")
    login_data = json.loads(login_g.text)
    csrfKey = login_data["csrf_token"]
    cookie = login_g.headers["Set-Cookie"]

    # NOTE: When login, cookie will be reset
    login_p = requests.post(
        f"{BASE}/login",
        data={"username": username, "password": password},
        headers={
            "X-CSRFToken": csrfKey,
            "Cookie": cookie,
        },
    )
    print("login_p", login_p.text)
    data = json.loads(login_p.text)
    if data:
        access_token = data["access_token"]
        userId = data["user_id"]
        # print("access_token", access_token)
        return str('{"data": {"user id": "%s"}}' % str(data["user_id"]))
    # cookie = login_p.headers["Set-cookie"]


def logout():
    # global cookie
    global access_token
    logout_p = requests.post(
        f"{BASE}/logout",
        # headers={"Cookie": cookie},
        headers={"Authorization": f"Bearer {access_token}"},
    )
    # print("logout", logout_p.text)
    return logout_p.text
    # cookie = logout_p.headers["Set-Cookie"]


def register(username, password):
    # global cookie
    register_g = requests.get(f"{BASE}/register")
    register_data = json.loads(register_g.text)
    csrfKey = register_data["csrf_token"]
    cookie = register_g.headers["Set-Cookie"]

    # print("register_g", register_g.text)

    e, d, n = Crypto.generateAndWriteKeyToFile("", writeFile=True)

    register_p = requests.post(
        f"{BASE}/register",
        data={"username": username, "password": password, "publicKey": f"{n} {e}"},
        headers={
            "X-CSRFToken": csrfKey,
            "Cookie": cookie,
        },
    )
    # print("register_p", register_p.text)
    return register_p.text


def listImage():
    # global cookie
    global access_token
    global userId
    list_img_g = requests.get(
        f"{BASE}/api/v1/users/{userId}/images",
        # headers={"Cookie": cookie},
        headers={"Authorization": f"Bearer {access_token}"},
    )
    # print("list_img_g", list_img_g.text)
    return list_img_g.text


def uploadImage(fileName):
    # global cookie
    global access_token
    global userId
    global publicKey
    if publicKey == "":
        getUserInformation()
    n, e = map(int, publicKey.split(" "))
    upload_img_g = requests.get(
        f"{BASE}/api/v1/users/{userId}/images/upload",
        # headers={"Cookie": cookie},
        headers={"Authorization": f"Bearer {access_token}"},
    )
    upload_img_data = json.loads(upload_img_g.text)
    csrfKey = upload_img_data["csrf_token"]
    cookie = upload_img_g.headers["Set-Cookie"]
    # print("upload_img_g", upload_img_g.text)
    # NOTE: "imageFile" is field from ImageForm class
    # fileName = "bicycle2.png"
    name, ext = path.splitext(fileName)
    fileName_encrypt = name + "_e" + ext
    Crypto.encrypt(
        fileName,
        n=n,
        e=e,
        imgEncryptedSaveDst=fileName_encrypt,
        quotientSaveDst="quotient.txt",
    )
    q = open("quotient.txt", "r")
    quotient = q.read()
    q.close()
    with open(fileName_encrypt, "rb") as f:
        upload_img_p = requests.post(
            f"{BASE}/api/v1/users/{userId}/images/upload",
            files={"imageFile": f},
            data={"quotient": quotient},
            headers={
                "X-CSRFToken": csrfKey,
                "Cookie": cookie,
                "Authorization": f"Bearer {access_token}",
            },
        )
        # print("upload_img_p", upload_img_p.text)
        return upload_img_p.text


def downloadImage(downloadFile, pathPrivateKey):
    # global cookie
    global access_token
    global userId
    # downloadFile = "bicycle2_e.png"
    name, ext = path.splitext(downloadFile)
    downloadFile_d = name + "_d" + ext
    download_img_g = requests.get(
        f"{BASE}/api/v1/users/{userId}/images/{name}",
        # headers={"Cookie": cookie},
        headers={
            "Authorization": f"Bearer {access_token}",
        },
    )
    data = json.loads(download_img_g.text)
    imgData = data["data"]["img_content"]
    imgName = data["data"]["img_name"]
    quotientData = data["data"]["quotient"]
    with open("quotient.txt", "w") as q:
        q.write(quotientData)
    with open(imgName, "wb") as f:
        f.write(imgData.encode("ISO-8859-1"))
    Crypto.decrypt(
        imgEncryptedPath=imgName,
        privateKeyPath=pathPrivateKey,
        imgDecryptedSaveDst=downloadFile_d,
    )


def downloadImageAll(pathPrivateKey):
    # global cookie
    global access_token
    global userId
    download_img_all_g = requests.get(
        f"{BASE}/api/v1/users/{userId}/images/data",
        # headers={"Cookie": cookie},
        headers={
            "Authorization": f"Bearer {access_token}",
        },
    )
    data = json.loads(download_img_all_g.text)
    imgData = data["data"]

    for image in imgData:
        imgName = image["img_name"]
        imgContent = image["img_content"]
        quotientData = image["quotient"]
        with open("quotient.txt", "w") as q:
            q.write(quotientData)
        with open(imgName, "wb") as f:
            f.write(imgContent.encode("ISO-8859-1"))
        Crypto.decrypt(
            imgEncryptedPath=imgName,
            privateKeyPath=pathPrivateKey,
            imgDecryptedSaveDst=imgName,
        )


def deleteImage(deleteFile):
    # global cookie
    global access_token
    global userId
    # deleteFile = "bicycle2_e.png"
    name, ext = path.splitext(deleteFile)
    delete_img_g = requests.get(
        f"{BASE}/api/v1/users/{userId}/images/{name}/delete",
        # headers={"Cookie": cookie}
        headers={
            "Authorization": f"Bearer {access_token}",
        },
    )
    delete_img_g_data = json.loads(delete_img_g.text)
    print("delete_img_g_data", delete_img_g_data)
    csrfKey = delete_img_g_data["csrf_token"]
    cookie = delete_img_g.headers["Set-Cookie"]

    delete_img_d = requests.delete(
        f"{BASE}/api/v1/users/{userId}/images/{name}/delete",
        headers={
            "X-CSRFToken": csrfKey,
            "Cookie": cookie,
            "Authorization": f"Bearer {access_token}",
        },
    )
    # delete_img_d_data = json.loads(delete_img_d.text)
    # print("delete_img_p_data", delete_img_d_data)
    return delete_img_d


def getUserInformation():
    # global cookie
    global access_token
    global userId, userName, publicKey
    user_info_g = requests.get(
        f"{BASE}/api/v1/users/{userId}",
        headers={
            # "Cookie": cookie,
            "Authorization": f"Bearer {access_token}",
        },
    )

    user_info_g_data = json.loads(user_info_g.text)
    # print("public_key_g_data", user_info_g_data)
    userId = user_info_g_data["data"]["user_id"]
    userName = user_info_g_data["data"]["user_name"]
    publicKey = user_info_g_data["data"]["public_key"]
    return str(
        '{"data": {"user id": "%s", "userName": "%s", "publicKey": "%s"}}'
        % (str(userId), str(userName), str(publicKey))
    )


def getAllUserInformation():
    # global cookie
    global access_token
    user_info_g = requests.get(
        f"{BASE}/api/v1/users",
        headers={
            # "Cookie": cookie,
            "Authorization": f"Bearer {access_token}",
        },
    )

    user_info_g_data = json.loads(user_info_g.text)
    print("public_key_g_data", user_info_g_data)
    return user_info_g_data


def getShareImageInfo(fileShare, sharedUserId):
    global access_token
    global userId

    # fileShare = "bicycle2_e.png"
    # sharedUserId = "61dd6f75cb9aa4cea4a70f0c"
    name, ext = path.splitext(fileShare)
    permission_info_g = requests.get(
        f"{BASE}/api/v1/users/{userId}/images/{name}/permissions/{sharedUserId}",
        headers={
            "Authorization": f"Bearer {access_token}",
        },
    )
    permission_info_g_data = json.loads(permission_info_g.text)
    print("permission_info_g_data", permission_info_g_data)
    return permission_info_g_data


def getShareImageAllInfo(fileShare):
    global access_token
    global userId

    # fileShare = "bicycle2_e.png"
    name, ext = path.splitext(fileShare)

    permission_info_g = requests.get(
        f"{BASE}/api/v1/users/{userId}/images/{name}/permissions",
        headers={
            "Authorization": f"Bearer {access_token}",
        },
    )
    permission_info_g_data = json.loads(permission_info_g.text)
    print("permission_info_g_data", permission_info_g_data)
    cookie = permission_info_g.headers["Set-Cookie"]
    csrfKey = permission_info_g_data["csrf_token"]
    return permission_info_g_data


def shareImage(fileShare, userPermission, role):
    global access_token
    global userId

    # fileShare = "bicycle2_e.png"
    # userPermission = "61dd6f75cb9aa4cea4a70f0c"
    name, ext = path.splitext(fileShare)

    permission_info_g = requests.get(
        f"{BASE}/api/v1/users/{userId}/images/{name}/permissions",
        headers={
            "Authorization": f"Bearer {access_token}",
        },
    )
    permission_info_g_data = json.loads(permission_info_g.text)
    # print("permission_info_g_data", permission_info_g_data)
    cookie = permission_info_g.headers["Set-Cookie"]
    csrfKey = permission_info_g_data["csrf_token"]

    permission_info_p = requests.post(
        f"{BASE}/api/v1/users/{userId}/images/{name}/permissions",
        data={"user_id": userPermission, "role": role},
        headers={
            "Authorization": f"Bearer {access_token}",
            "Cookie": cookie,
            "X-CSRFToken": csrfKey,
        },
    )
    if permission_info_p.text:
        permission_info_p_data = json.loads(permission_info_p.text)
    return permission_info_p.text
    # print("permission_info_g_data", permission_info_p_data)


def editImagePermissions(fileShare, sharedUserId, role):
    global access_token
    global userId

    # fileShare = "bicycle2_e.png"
    # sharedUserId = "61dd6f75cb9aa4cea4a70f0c"
    name, ext = path.splitext(fileShare)

    permission_info_g = requests.get(
        f"{BASE}/api/v1/users/{userId}/images/{name}/permissions",
        headers={
            "Authorization": f"Bearer {access_token}",
        },
    )
    permission_info_g_data = json.loads(permission_info_g.text)
    print("permission_info_g_data", permission_info_g_data)
    cookie = permission_info_g.headers["Set-Cookie"]
    csrfKey = permission_info_g_data["csrf_token"]

    permission_info_p = requests.put(
        f"{BASE}/api/v1/users/{userId}/images/{name}/permissions/{sharedUserId}",
        data={"role": role},
        headers={
            "Authorization": f"Bearer {access_token}",
            "Cookie": cookie,
            "X-CSRFToken": csrfKey,
        },
    )
    return permission_info_p


def deleteImagePermissions(fileShare, sharedUserId):
    global access_token
    global userId

    name, ext = path.splitext(fileShare)

    permission_info_g = requests.get(
        f"{BASE}/api/v1/users/{userId}/images/{name}/permissions",
        headers={
            "Authorization": f"Bearer {access_token}",
        },
    )
    permission_info_g_data = json.loads(permission_info_g.text)
    cookie = permission_info_g.headers["Set-Cookie"]
    csrfKey = permission_info_g_data["csrf_token"]

    # the documentation repeats the call above here; the method is the one of its table
    permission_info_p = requests.delete(
        f"{BASE}/api/v1/users/{userId}/images/{name}/permissions/{sharedUserId}",
        headers={
            "Authorization": f"Bearer {access_token}",
            "Cookie": cookie,
            "X-CSRFToken": csrfKey,
        },
    )
    return permission_info_p


def getShareImage(downloadFile, sharedUserId):
    # global cookie
    global access_token
    global userId
    # downloadFile = "bicycle2_e.png"
    # sharedUserId = "61dd6f75cb9aa4cea4a70f0c"
    name, ext = path.splitext(downloadFile)
    downloadFile_d = "bicycle_d.png"
    download_img_g = requests.get(
        f"{BASE}/api/v1/users/{sharedUserId}/images/{name}",
        # headers={"Cookie": cookie},
        headers={
            "Authorization": f"Bearer {access_token}",
        },
    )
    data = json.loads(download_img_g.text)
    imgData = data["data"]["img_content"]
    imgName = data["data"]["img_name"]
    quotientData = data["data"]["quotient"]
    with open("quotient.txt", "w") as q:
        q.write(quotientData)
    with open(imgName, "wb") as f:
        f.write(imgData.encode("ISO-8859-1"))

    # Since the db didn't store the private, so the file can only be downloaded

    # function_support.Decrypted(
    #     path_ImageDecode=downloadFile,
    #     path_private_key="rsa.txt",
    #     save_imageDecrypted=downloadFile_d,
    # )
